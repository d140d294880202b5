// The shell of the service's own portal: it gets the session's token for the component, shows whose session it is, and
// ends it. The cookie that proves the session is out of every script's reach.

import type { AzureSsoPanel } from "./azure-sso-panel.js";
import type { components } from "./generated/schema.js";

type Session = components["schemas"]["OwnSessionDocument"];
type Text = { title: string; text: string };

const ENGLISH = {
  roles: { SecurityManager: "Security Manager", SecurityReader: "Security Reader" } as Record<string, string>,
  signOut: "Sign out",
  signedOut: { title: "Signed out", text: "You can close this page." },
  over: { title: "Your session has ended", text: "Open single sign-on again from the control panel." },
  unreachable: { title: "The service does not answer", text: "Reload this page in a moment." },
};
const GERMAN: typeof ENGLISH = {
  roles: { SecurityManager: "Security Manager", SecurityReader: "Security Reader" },
  signOut: "Abmelden",
  signedOut: { title: "Abgemeldet", text: "Sie können diese Seite schließen." },
  over: { title: "Ihre Sitzung ist beendet", text: "Öffnen Sie Single Sign-on noch einmal im Control Panel." },
  unreachable: { title: "Der Dienst antwortet nicht", text: "Laden Sie diese Seite gleich noch einmal." },
};

const german = navigator.language.toLowerCase().startsWith("de");
const words = german ? GERMAN : ENGLISH;
const find = <E extends HTMLElement>(selector: string) => document.querySelector<E>(selector)!;
const [panel, person, button] = [find<AzureSsoPanel>("azure-sso-panel"), find("#person"), find<HTMLButtonElement>("#sign-out")];
const own = `/portal/${encodeURIComponent(panel.getAttribute("account") ?? "")}/session`;
document.documentElement.lang = german ? navigator.language : "en";

/** In place of the panel, which forgets what it has shown. */
function show({ title, text }: Text): void {
  panel.remove();
  const message = find("#message");
  message.querySelector("h2")!.textContent = title;
  message.querySelector("p")!.textContent = text;
  message.hidden = false;
  button.hidden = true;
  person.textContent = "";
}

async function ask(method: string, headers: HeadersInit = {}): Promise<Response | undefined> {
  try {
    return await fetch(own, { method, headers, cache: "no-store", credentials: "same-origin", redirect: "error" });
  } catch {
    return undefined;
  }
}

async function begin(): Promise<void> {
  const answer = await ask("GET");
  if (!answer?.ok) return show(answer && answer.status < 500 ? words.over : words.unreachable);
  const session = (await answer.json()) as Session;
  person.textContent = `${session.name}, ${words.roles[session.role] ?? session.role}`;
  button.textContent = words.signOut;
  button.hidden = false;
  button.addEventListener("click", () => void signOut(session.csrfToken));
  panel.csrfToken = session.csrfToken;
  setTimeout(() => show(words.over), Math.max(0, Date.parse(session.expiresAt) - Date.now()));
}

async function signOut(token: string): Promise<void> {
  const answer = await ask("DELETE", { "X-Azure-SSO-CSRF": token });
  show(answer && (answer.ok || answer.status === 401) ? words.signedOut : words.unreachable);
}

panel.addEventListener("azure-sso-problem", (event) => {
  if ((event as CustomEvent<{ status: number }>).detail.status === 401) show(words.over);
});
await customElements.whenDefined("azure-sso-panel");
void begin();
