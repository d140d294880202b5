"""The HTML that people see: sign-in, consent, refusals, form_post, signed out, who is who.

Each function takes what to show and returns a finished response; nothing here decides. No page loads anything from
elsewhere, and every page says that it only stands in for Microsoft. The package's docstring lists the form fields,
which tests rely on.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from starlette.responses import HTMLResponse

from local.entra.directory import Directory, User
from local.entra.refusals import Refusal

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1a19; --soft: #605e5c; --line: #d2d0ce; --paper: #fff; --ground: #eef1f6;
  --accent: #0f5ea8; --alarm: #a4262c }
@media (prefers-color-scheme: dark) { :root { --ink: #f3f2f1; --soft: #bebbb8; --line: #484644; --paper: #252423;
  --ground: #161514; --accent: #6cb8f6; --alarm: #f1939b } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif }
main { width: 100%; max-width: 29rem; padding: 2.25rem; background: var(--paper); border-radius: .5rem;
  border-top: .3rem solid var(--accent); box-shadow: 0 .25rem 1.5rem #0002 }
main.wide { max-width: 60rem }
.local { margin: 0 0 1.25rem; color: var(--soft); font-size: .85rem }
.local b { color: var(--accent) }
h1 { margin: 0 0 .75rem; font-size: 1.5rem; font-weight: 600; line-height: 1.25 }
label { display: block; margin: 1rem 0 0; font-size: .9rem }
input { display: block; width: 100%; margin-top: .25rem; padding: .55rem .7rem; font: inherit; color: inherit;
  background: transparent; border: 1px solid var(--soft); border-radius: .25rem }
button { margin: 1.25rem .5rem 0 0; padding: .5rem 1.4rem; font: inherit; color: var(--paper);
  background: var(--accent); border: 1px solid var(--accent); border-radius: .25rem; cursor: pointer }
button.second { color: var(--accent); background: transparent }
:focus-visible { outline: .15rem solid var(--accent); outline-offset: .15rem }
[role=alert] { padding: .6rem .8rem; color: var(--alarm); border-left: .25rem solid var(--alarm) }
code, small { color: var(--soft); overflow-wrap: anywhere }
ul { padding-left: 1.25rem }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
th, td { padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
td:last-child { white-space: nowrap }
iframe { display: none }
"""

_POLICY = ("default-src 'none'", "style-src 'unsafe-inline'", "base-uri 'none'", "frame-ancestors 'none'")


@dataclass(frozen=True)
class Form:
    """Where a page's form goes, and the token that ties it to this browser and session."""

    action: str
    csrf: str


@dataclass(frozen=True)
class Button:
    """One button of a form: the value of `action`, and its label."""

    action: str
    label: str
    second: bool = False


def sign_in(
    form: Form,
    *,
    application: str,
    email: str = "",
    account: str | None = None,
    problem: Refusal | None = None,
) -> HTMLResponse:
    """Ask for email and password; `account` is who may simply continue, `problem` what was wrong the last time."""
    alert = f'<p role="alert">{escape(problem.sentence)} <code>AADSTS{problem.aadsts}</code></p>' if problem else ""
    proceed = ""
    if account is not None:
        proceed = (
            f"<p>Pick an account:</p>{_form(form, [Button('continue', f'Continue as {account}')])}"
            "<p>Or use another account:</p>"
        )
    fields = (
        f'<label>Email<input name="email" type="email" value="{escape(email)}" autocomplete="username" required'
        f"{'' if email else ' autofocus'}></label>"
        '<label>Password<input name="password" type="password" autocomplete="current-password" required'
        f"{' autofocus' if email else ''}></label>"
    )
    body = f"<p>to continue to <b>{escape(application)}</b></p>{alert}{proceed}"
    return _page("Sign in", body + _form(form, [Button("sign_in", "Sign in")], fields))


def consent(
    form: Form, *, application: str, person: str, tenant: str, permissions: Mapping[str, Iterable[str]]
) -> HTMLResponse:
    """Ask an administrator to accept permissions, given by kind, for the whole organization."""
    listed = "".join(
        f"<p><b>{escape(kind)}</b></p><ul>{''.join(f'<li>{escape(name)}</li>' for name in names)}</ul>"
        for kind, names in permissions.items()
    )
    body = (
        f"<p>{escape(person)}</p><p><b>{escape(application)}</b> asks for these permissions in all of "
        f"<b>{escape(tenant)}</b>. If you accept, it gets them for every user of your organization.</p>{listed}"
    )
    buttons = [Button("accept", "Accept"), Button("cancel", "Cancel", second=True)]
    return _page("Permissions requested", body + _form(form, buttons))


def refused(refusal: Refusal, form: Form | None = None, buttons: Iterable[Button] = ()) -> HTMLResponse:
    """Tell a person what was refused. Nobody is sent anywhere, unless a button offers it."""
    body = (
        f'<p role="alert">{escape(refusal.sentence)}</p><p><code>AADSTS{refusal.aadsts}</code><br>'
        f"<small>Trace ID: {refusal.trace_id}<br>Correlation ID: {refusal.correlation_id}<br>"
        f"Timestamp: {refusal.timestamp}</small></p>"
    )
    return _page("Sorry, that didn't work", body + (_form(form, buttons) if form else ""), status=refusal.status)


def form_post(redirect_uri: str, answer: Mapping[str, str]) -> HTMLResponse:
    """Send an answer as a form, https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html."""
    nonce = secrets.token_urlsafe(16)
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in answer.items()
    )
    body = (
        f'<form method="post" action="{escape(redirect_uri)}">{fields}<button>Continue</button></form>'
        f'<script nonce="{nonce}">document.forms[0].submit()</script>'
    )
    return _page("Returning to the application", body, policy=f"script-src 'nonce-{nonce}'")


def twice(url: str) -> HTMLResponse:
    """Fetch an answer, and go there at the same time."""
    nonce = secrets.token_urlsafe(16)
    script = (
        f"const answer = {json.dumps(url)};"
        'fetch(answer, { mode: "no-cors", credentials: "include", redirect: "manual" }).catch(() => {});'
        "location.replace(answer);"
    ).replace("<", "\\u003c")
    body = f'<a href="{escape(url)}">Continue</a><script nonce="{nonce}">{script}</script>'
    return _page("Returning to the application", body, policy=f"script-src 'nonce-{nonce}'; connect-src *")


def signed_out(front_channel: Iterable[str], onward: str | None) -> HTMLResponse:
    """Say goodbye, load each application's front-channel logout URL, then go `onward` if there is somewhere to go."""
    frames = "".join(f'<iframe src="{escape(url)}" title="Signing out"></iframe>' for url in front_channel)
    body = f"<p>You signed out of your account.</p>{frames}"
    head = ""
    if onward is not None:
        body += f'<p><a href="{escape(onward)}">Continue</a></p>'
        head = f'<meta http-equiv="refresh" content="2;url={escape(onward)}">'
    return _page("Signed out", body, head=head, policy="frame-src *")


def who_is_who(directory: Directory) -> HTMLResponse:
    """List everybody who can sign in, with their passwords: they are only worth something here."""
    rows = "".join(
        f"<tr><td>{escape(tenant.name)}<td>{escape(user.sign_in_name)}<td>{escape(user.display_name)}"
        f"<td>{escape(_kind(user))}<td>{escape(user.password)}"
        for tenant in directory.tenants
        for user in tenant.users
    ) + "".join(
        f"<tr><td>Control panel<td>{escape(person.username)}<td>{escape(person.name)}"
        f"<td>{escape(' of '.join([*person.roles, *filter(None, [person.account_id])]))}<td>{escape(person.password)}"
        for person in directory.control_panel.people
    )
    table = f"<table><tr><th>Tenant<th>Signs in as<th>Name<th>Kind<th>Password{rows}</table>"
    return _page("Who is who", table, width="wide")


def _kind(user: User) -> str:
    return ", ".join([*(["guest"] if user.is_guest else []), *user.roles, *([] if user.enabled else ["disabled"])])


def _form(form: Form, buttons: Iterable[Button], fields: str = "") -> str:
    pressed = "".join(
        f'<button name="action" value="{button.action}"{" class=second" if button.second else ""}>'
        f"{escape(button.label)}</button>"
        for button in buttons
    )
    return (
        f'<form method="post" action="{escape(form.action)}">'
        f'<input type="hidden" name="csrf" value="{form.csrf}">{fields}{pressed}</form>'
    )


def _page(
    title: str, body: str, *, head: str = "", status: int = 200, policy: str = "", width: str = ""
) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - Local Entra</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{head}<style>{_STYLE}</style></head>'
        f'<body><main class="{width}"><p class="local"><b>Local Entra</b> - stands in for Microsoft</p>'
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join([*_POLICY, *([policy] if policy else [])]),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)
