// What all steps of the guided path have: where one is, how to go on, and that it can be left at any time.

import { html, nothing, type TemplateResult } from "lit";
import type { Content } from "../parts.js";
import { Screen } from "../screen.js";

export type Step = "need" | "who" | "waiting" | "connected" | "emergency" | "confirm" | "done";

export const NUMBERS: Record<Step, number> = { need: 1, who: 2, waiting: 2, connected: 3, emergency: 4, confirm: 5, done: 5 };

export abstract class SetupStep extends Screen {
  protected heading(step: Step, title: string): TemplateResult {
    return html`<div class="head"><p class="muted">${this.words.setup.step(NUMBERS[step])}</p><h3 id="h-setup" tabindex="-1">${title}</h3></div>${this.outcome()}`;
  }

  protected foot(main: Content, back?: string, more: Content = nothing): TemplateResult {
    const words = this.words;
    return html`<div class="row next">
      ${main}
      ${back ? html`<button class="btn" @click=${() => this.context.go(back)}>${words.back}</button>` : nothing}
      ${more}
      <a href=${this.context.href("overview")}>${words.setup.later}</a>
    </div>`;
  }

  protected main(label: string, click: () => void): TemplateResult {
    return html`<button class="btn main" part="button primary" aria-disabled=${Boolean(this.busy)} @click=${() => this.busy || click()}>${label}</button>`;
  }
}
