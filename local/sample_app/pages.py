"""What people see in AnyMeeting: plain, accessible, without script, and nothing from elsewhere."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from starlette.responses import HTMLResponse

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #17202c; --soft: #5a6675; --line: #d5dae1; --paper: #fff; --ground: #eef4f1;
  --accent: #0d6b50; --on-accent: #fff; --alarm: #b3402a }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf1; --soft: #9aa7b7; --line: #354253; --paper: #1a2330;
  --ground: #10161f; --accent: #5cc9a5; --on-accent: #0b1512; --alarm: #ff9d8a } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  font: 1.0625rem/1.55 system-ui, "Segoe UI", sans-serif; background: var(--ground); color: var(--ink) }
main { width: 100%; max-width: 36rem; padding: 2.25rem 2.5rem; border-radius: .75rem; background: var(--paper);
  border-top: .3rem solid var(--accent); box-shadow: 0 1px 2px #0f1b2d1f, 0 12px 32px #0f1b2d14 }
.sample { margin: 0 0 1.25rem; color: var(--soft); font-size: .9rem }
.sample b { color: var(--accent) }
h1 { margin: 0 0 .75rem; font-size: 1.6rem; line-height: 1.25 }
p { margin: 0 0 1rem; overflow-wrap: anywhere }
a { color: var(--accent) }
label { display: block; margin-bottom: .35rem; font-weight: 600 }
small, caption, th { color: var(--soft) }
input { width: 100%; padding: .6rem .7rem; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--soft); border-radius: .35rem }
button { margin: 1rem 0 1.25rem; padding: .6rem 1.6rem; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: .35rem; cursor: pointer }
:focus-visible { outline: .2rem solid #7fb8f5; outline-offset: .1rem }
[role=alert] { color: var(--alarm); font-weight: 600 }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
caption { padding-bottom: .35rem; text-align: left }
th, td { padding: .35rem .75rem .35rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line) }
th { font-weight: 400; white-space: nowrap }
td { overflow-wrap: anywhere }
"""
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # No form-action: browsers hold it against where a form is redirected to, and sign-in leads to Microsoft.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def welcome() -> HTMLResponse:
    """Ask somebody who is not signed in to sign in."""
    body = (
        '<form action="/sign-in"><label for="email">Email address</label>'
        '<input id="email" name="email" type="email" autocomplete="username" autofocus aria-describedby="hint">'
        '<small id="hint">You may leave it empty: you are asked on the next page then.</small><br>'
        "<button>Sign in</button></form>"
        "<p><small>When Contoso is connected and SSO is on, alice@contoso.example signs in with Microsoft, where her "
        "password is Local-pass-1. carol@contoso-mail.example, an exception, keeps the vendor's password.</small></p>"
    )
    return _page("Sign in", body)


def greeting(claims: Mapping[str, Any]) -> HTMLResponse:
    """Greet the signed-in person, and show the claims that the service returned."""
    rows = "".join(f'<tr><th scope="row">{escape(name)}<td>{escape(str(claims[name]))}' for name in claims)
    body = (
        f"<p>You are signed in to AnyMeeting as <strong>{escape(str(claims.get('email')))}</strong>.</p>"
        '<form method="post" action="/sign-out"><button>Sign out</button></form>'
        f"<table><caption>The claims of your ID token</caption>{rows}</table>"
    )
    return _page(f"Hello {claims.get('name') or claims.get('email')}", body)


def password(address: str) -> HTMLResponse:
    """Stand where a real application asks for the vendor's password."""
    body = (
        f"<p><strong>{escape(address)}</strong> signs in with the vendor's own password, not with Microsoft. A real "
        'application asks for that password here.</p><p><a href="/">Sign in as somebody else</a></p>'
    )
    return _page("The vendor's password page", body)


def goodbye() -> HTMLResponse:
    """Tell somebody that they are signed out."""
    return _page(
        "Signed out", '<p>You are signed out of AnyMeeting and of Microsoft.</p><p><a href="/">Sign in again</a></p>'
    )


def refused(sentence: str) -> HTMLResponse:
    """Tell somebody that they are not signed in, and why."""
    body = f'<p role="alert">{escape(sentence)}</p><p><a href="/">Try again</a></p>'
    return _page("You are not signed in", body, status=400)


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} - AnyMeeting</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        '<body><main><p class="sample"><b>AnyMeeting</b> - a sample application</p>'
        f"<h1>{escape(title)}</h1>{body}</main></body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)
