"""Pages for people whose browser passes through: plain, accessible, without script, and nothing from elsewhere."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

from azure.functions import HttpResponse

from functions.edge.invocation import invocation_id
from functions.edge.problems import headers_of, status_of
from shared.kernel.refusals import Refusal

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; box-sizing: border-box;
  font: 1.0625rem/1.55 system-ui, "Segoe UI", sans-serif; background: #f3f5f8; color: #17202c; }
main { max-width: 34rem; width: 100%; box-sizing: border-box; padding: 2.25rem 2.5rem; border-radius: .75rem;
  background: #fff; box-shadow: 0 1px 2px #0f1b2d1f, 0 12px 32px #0f1b2d14; border-top: .3rem solid #b3402a; }
main.good { border-top-color: #1c7a4d; }
main.plain { border-top-color: #0b5cad; }
h1 { margin: 0 0 .75rem; font-size: 1.45rem; line-height: 1.25; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
a { color: #0b5cad; }
small { color: #5a6675; }
label { display: block; font-weight: 600; margin-bottom: .35rem; }
input[type=email] { font: inherit; width: 100%; box-sizing: border-box; padding: .6rem .7rem; color: inherit;
  background: transparent; border: 1px solid #7b8794; border-radius: .35rem; }
button { font: inherit; font-weight: 600; margin: 1rem 0 1.25rem; padding: .6rem 1.6rem; color: #fff;
  background: #0b5cad; border: 0; border-radius: .35rem; cursor: pointer; }
:focus-visible { outline: .2rem solid #7fb8f5; outline-offset: .1rem; }
.fault { color: #b3402a; font-weight: 600; }
@media (prefers-color-scheme: dark) {
  body { background: #10161f; color: #e7ebf1; }
  main { background: #1a2330; box-shadow: none; }
  a { color: #7fb8f5; } small { color: #9aa7b7; } .fault { color: #ff9d8a; }
}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def _headers(form_action: str) -> dict[str, str]:
    """Nothing from elsewhere, no script, no frame (https://www.w3.org/TR/CSP3/).

    Browsers hold the redirects that follow a form against `form-action`, too, and a sign-in leads over hosts that only
    the customer's tenant knows.
    """
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action {form_action}; "
            "frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }


class Pages:
    """The dialect for browsers: a refusal is explained on a page."""

    def refused(self, refusal: Refusal, _invocation_id: str) -> HttpResponse:
        """See `functions.edge.problems.Dialect`."""
        return refusal_page(refusal)

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.edge.problems.Dialect`."""
        detail = "This is an error of the service. Try again later, or tell the vendor's support the id below."
        return _page("Something went wrong here", _said(detail), status=500, small=f"id {invocation_id}")


def refusal_page(refusal: Refusal, *ways: tuple[str, str]) -> HttpResponse:
    """A refusal, with the ways on: each a text and an address."""
    small = f"{refusal.slug}, id {invocation_id.get()}"
    answer = _page(refusal.title, _said(refusal.detail, ways), status=status_of(refusal), small=small)
    answer.headers.update(headers_of(refusal))
    return answer


def good_page(title: str, text: str) -> HttpResponse:
    """Something worked."""
    return _page(title, _said(text), status=200, small="You can close this window.", tone="good")


def framed_page(title: str, text: str) -> HttpResponse:
    """The same, for a frame of Microsoft's sign-out page (OpenID Connect Front-Channel Logout 1.0, section 2).

    Whoever else frames it gains nothing: there is nothing on it to press.
    """
    answer = good_page(title, text)
    del answer.headers["X-Frame-Options"]
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace("; frame-ancestors 'none'", "")
    return answer


def email_page(application_name: str, action: str, parameters: Mapping[str, str], fault: str | None) -> HttpResponse:
    """The first step of a sign-in: which address? One that is none stays to be mended; the rest goes along unseen."""
    kept = {name: value for name, value in parameters.items() if name != "login_hint"}
    hidden = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(kept[name])}">' for name in kept)
    described = ' aria-invalid="true" aria-describedby="fault"' if fault else ""
    typed = f' value="{escape(parameters["login_hint"])}"' if "login_hint" in parameters else ""
    form = (
        f'<form method="post" action="{escape(action)}">{hidden}{_fault(fault)}<label for="email">Email address</label>'
        f'<input id="email" name="login_hint" type="email"{typed} autocomplete="username" required autofocus{described}'
        "><button>Next</button></form>"
    )
    small = "You will sign in with your company's Microsoft account, or with your password."
    title = f"Sign in to {application_name}"
    return _page(title, form, status=422 if fault else 200, small=small, tone="plain", form_action=_onwards(action))


def invitation_page(
    account_name: str, started_by: str, action: str, brought_back: Mapping[str, str], fault: str | None = None
) -> HttpResponse:
    """What an administrator is about to do, and for whom, before Microsoft asks them.

    The form brings back `brought_back`, which only whoever is shown this page can read. With a fault it is a refusal.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in brought_back.items()
    )
    body = (
        f"<p>{escape(started_by)} asks you to connect the account <strong>{escape(account_name)}</strong> to your "
        "organisation at Microsoft. You will sign in as a Global Administrator or a Privileged Role Administrator of "
        "your organisation, because only they can consent to what this service asks for, and accept what Microsoft "
        "shows you. From then on, people with an address in your organisation's domains sign in to this account.</p>"
        "<p>Do not go on if you do not know this account.</p>"
        f'<form method="post" action="{escape(action)}">{_fault(fault)}{hidden}<button name="action" value="continue">'
        "Continue to Microsoft</button></form>"
    )
    title = f"Connect {account_name} to Microsoft"
    small = "This link can be used once."
    status = 403 if fault else 200
    return _page(title, body, status=status, small=small, tone="plain", form_action=_onwards(action))


def _fault(fault: str | None) -> str:
    return f'<p id="fault" class="fault" role="alert">{escape(fault)}</p>' if fault else ""


def _onwards(action: str) -> str:
    """Where a form may lead: on this machine, Microsoft's stand-in speaks plain http."""
    return "'self' https:" if action.startswith("https:") else "'self' http:"


def redirect(url: str) -> HttpResponse:
    """Send the browser on with GET (RFC 9110, section 15.4.4)."""
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HttpResponse(status_code=303, headers=headers)


def _said(text: str, ways: Iterable[tuple[str, str]] = ()) -> str:
    links = "".join(f'<p><a href="{escape(url)}">{escape(said)}</a></p>' for said, url in ways)
    return f"<p>{escape(text)}</p>{links}"


def _page(
    title: str, body: str, *, status: int, small: str, tone: str = "bad", form_action: str = "'none'"
) -> HttpResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><main class="{tone}"><h1>{escape(title)}</h1>{body}<small>{escape(small)}</small></main></body></html>'
    )
    return HttpResponse(html, status_code=status, mimetype="text/html", headers=_headers(form_action))
