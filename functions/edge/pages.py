"""Pages for people whose browser passes through: plain, accessible, without script, and nothing from elsewhere."""

import base64
import hashlib
from html import escape

from azure.functions import HttpResponse

from functions.edge.problems import headers_of, status_of
from shared.kernel.refusals import Refusal

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; box-sizing: border-box;
  font: 1.0625rem/1.55 system-ui, "Segoe UI", sans-serif; background: #f3f5f8; color: #17202c; }
main { max-width: 34rem; width: 100%; box-sizing: border-box; padding: 2.25rem 2.5rem; border-radius: .75rem;
  background: #fff; box-shadow: 0 1px 2px #0f1b2d1f, 0 12px 32px #0f1b2d14; border-top: .3rem solid #b3402a; }
main.good { border-top-color: #1c7a4d; }
h1 { margin: 0 0 .75rem; font-size: 1.45rem; line-height: 1.25; }
p { margin: 0 0 1rem; overflow-wrap: anywhere; }
a { color: #0b5cad; }
small { color: #5a6675; }
@media (prefers-color-scheme: dark) {
  body { background: #10161f; color: #e7ebf1; }
  main { background: #1a2330; box-shadow: none; }
  a { color: #7fb8f5; } small { color: #9aa7b7; }
}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Pages:
    """The dialect for browsers: a refusal is explained on a page."""

    def refused(self, refusal: Refusal, invocation_id: str) -> HttpResponse:
        """See `functions.edge.problems.Dialect`."""
        return refusal_page(refusal, None, invocation_id)

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.edge.problems.Dialect`."""
        detail = "This is an error of the service. Try again later, or tell the vendor's support the id below."
        return _page("Something went wrong here", detail, None, status=500, small=f"Id: {invocation_id}")


def refusal_page(refusal: Refusal, return_url: str | None, invocation_id: str | None = None) -> HttpResponse:
    """A refusal, with the way back if there is one."""
    small = f"{refusal.slug}, id {invocation_id}" if invocation_id else refusal.slug
    answer = _page(refusal.title, refusal.detail, return_url, status=status_of(refusal), small=small)
    answer.headers.update(headers_of(refusal))
    return answer


def good_page(title: str, text: str, return_url: str | None) -> HttpResponse:
    """Something worked."""
    return _page(title, text, return_url, status=200, small="You can close this window.", tone="good")


def redirect(url: str, cookie: str | None = None) -> HttpResponse:
    """Send the browser on with GET (RFC 9110, section 15.4.4)."""
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    answer = HttpResponse(status_code=303, headers=headers)
    if cookie is not None:
        answer.headers.add("Set-Cookie", cookie)
    return answer


def _page(title: str, text: str, return_url: str | None, *, status: int, small: str, tone: str = "bad") -> HttpResponse:
    back = f'<p><a href="{escape(return_url)}">Back to the control panel</a></p>' if return_url else ""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f'<body><main class="{tone}"><h1>{escape(title)}</h1><p>{escape(text)}</p>{back}'
        f"<small>{escape(small)}</small></main></body></html>"
    )
    return HttpResponse(html, status_code=status, mimetype="text/html", headers=_HEADERS)
