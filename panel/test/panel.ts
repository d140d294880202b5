// Shows the component in front of a service in memory, and finds things in it as people do: by role and by label.

import { expect } from "vitest";
import { page } from "vitest/browser";
import "../src/azure-sso-panel.js";
import type { AzureSsoPanel } from "../src/azure-sso-panel.js";
import { ENDPOINT, type FakeService } from "./service.js";

/** Open a screen, and wait until it has loaded. */
export async function open(service: FakeService, screen: string, more: Partial<AzureSsoPanel> = {}): Promise<AzureSsoPanel> {
  const panel = show(service, screen, more);
  await expect.poll(() => panel.shadowRoot!.querySelector(".content section.screen:not(.waits) h3")).not.toBeNull();
  return panel;
}

/** Show the component, whatever comes. */
export function show(service: FakeService, screen: string, more: Partial<AzureSsoPanel> = {}): AzureSsoPanel {
  globalThis.fetch = service.fetch as typeof fetch;
  history.replaceState(null, "", `#${screen}`);
  const panel = document.createElement("azure-sso-panel");
  Object.assign(panel, { endpoint: ENDPOINT, account: "contoso", getToken: () => "token", ...more });
  document.body.append(panel);
  return panel;
}

/** What is on top: the dialog, if one is open. */
const top = () => (document.querySelector("azure-sso-panel")?.shadowRoot?.querySelector("dialog[open]") ? page.getByRole("dialog") : page);
export const button = (name: string | RegExp) => top().getByRole("button", { name, exact: true });
export const labelled = (name: string) => top().getByLabelText(name, { exact: true });
export const press = (name: string | RegExp) => button(name).click();
export const text = (words: string | RegExp) => page.getByText(words);
export const sees = (words: string | RegExp) => expect.element(text(words).first()).toBeVisible();
export const heading = (name: string | RegExp) => expect.element(page.getByRole("heading", { name })).toBeVisible();
