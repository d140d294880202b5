// What every screen gets from the component around it.

import type { Api, Overview } from "./api.js";
import type { Format } from "./format.js";
import type { Words } from "./words/index.js";

export interface Context {
  readonly api: Api;
  readonly words: Words;
  readonly format: Format;
  /** Whether changes are hidden, because the page says that its person may only read. */
  readonly readonly: boolean;
  readonly helpUrl: string;
  /** The account at a glance, once it was read. */
  readonly overview: Overview | undefined;
  /** Since when it is not certain any more; empty if it is. */
  readonly oldSince: string;
  /** The address of a screen, for a link. */
  href(route: string): string;
  /** Show a screen. */
  go(route: string): void;
  /** Read the overview again, after something that it shows has changed. */
  refresh(): Promise<void>;
  /** Tell the page around the component what happened. */
  announce(event: PanelEvent, detail?: Record<string, unknown>): void;
  /** Ask before the screen is left; null to let it be left without a question. */
  guard(question: (() => boolean) | null): void;
}

export type PanelEvent =
  | "navigate"
  | "connection-started"
  | "setup-link-revoked"
  | "connection-checked"
  | "disconnected"
  | "people-kept"
  | "domains-changed"
  | "policy-changed"
  | "exceptions-changed"
  | "people-released"
  | "person-erased"
  | "problem";
