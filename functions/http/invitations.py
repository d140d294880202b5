"""Pages with one button, which only the browser that was shown the page can press."""

from collections.abc import Mapping

from azure.functions import HttpRequest

from functions.http.cookies import FlowCookies


def only(form: Mapping[str, tuple[str, ...]], name: str) -> str:
    """The value of a field that the form contains exactly once, else an empty text."""
    values = form.get(name, ())
    return values[0] if len(values) == 1 else ""


def was_invited(req: HttpRequest, ticket: str, shown: str, invited: FlowCookies) -> bool:
    """Whether the form comes from the page's own button, in the browser that was shown the page.

    Another site can send the same form, but no Lax cookie with it (RFC 6265bis, section 4.1.2.7); a sibling domain can
    make the browser send the cookie, but can neither read nor set its value. `Origin` does not help: it is null for our
    pages, which send no referrer (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
    """
    secret = invited.secret(req, ticket)
    return secret is not None and shown == secret
