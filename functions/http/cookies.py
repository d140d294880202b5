"""The cookies that bind a browser to its flows: one per flow, so that neither another tab nor another site disturbs it.

`__Host-` makes browsers insist on Secure, on path / and on no other host (RFC 6265bis, section 4.1.3.2), which is why
`functions.http.host_only` keeps the worker from adding a domain. With SameSite=Lax browsers send them when Microsoft
redirects back with a GET, and with no other cross-site request. A cookie is named after its flow and lives as long,
since whatever a browser sends may come twice.
"""

import re
from dataclasses import dataclass
from datetime import timedelta

from azure.functions import HttpRequest, HttpResponse

from functions.http.set_cookie import ATTRIBUTES, removal
from shared.flows.flows import HANDLE, Binding, name_of
from shared.kernel.encoding import base64url, from_base64url
from shared.provider.expected_person import REMEMBERED_FOR

MOST = 32
"""Cookies of one sort that a browser may keep: 2.8 kB of each request, and more sign-ins than anybody has open.

Abandoned flows leave theirs until they expire, and any site can make a browser begin flows.
"""

AT_ONCE = 8
"""Cookies that one response removes: its headers must stay small, too."""

_PIECE, _PIECES = 3_800, 2
"""Characters of one cookie of a text, and the most cookies of one: more would make each request too large."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FlowCookies:
    """The cookies of one sort of flow.

    Args:
        prefix: with which their names begin.
        form: the form of their values.
        attributes: with whom browsers share them.
    """

    prefix: str
    form: re.Pattern[str] = _SECRET
    attributes: str = ATTRIBUTES

    def secret(self, req: HttpRequest, state: str | None) -> str | None:
        """The secret that the browser sent for the flow of this state, if it has the form of one of ours."""
        return self.named(req, name_of(state or ""))

    def named(self, req: HttpRequest, flow: str) -> str | None:
        """The secret that the browser sent for the flow of this name, if it has the form of one of ours."""
        name = self.prefix + flow
        return next((value for key, value in _pairs(req) if key == name and self.form.fullmatch(value)), None)

    def bind(self, req: HttpRequest, binding: Binding) -> tuple[str, ...]:
        """The Set-Cookie lines that give a browser the secret of a flow, and remove cookies above `MOST`.

        The oldest are removed; browsers send them first (RFC 6265, section 5.4).
        """
        age = int(binding.lifetime.total_seconds())
        ours = re.compile(re.escape(self.prefix) + "[0-9a-f]{16}")
        held = [key for key, _ in _pairs(req) if ours.fullmatch(key)]
        surplus = held[: max(0, len(held) + 1 - MOST)][:AT_ONCE]
        given = f"{self.prefix}{binding.flow}={binding.secret}; Path=/; Max-Age={age}; {self.attributes}"
        return *map(removal, surplus), given

    def release(self, state: str | None) -> str:
        """The Set-Cookie line that removes the secret of this state's flow, which is over."""
        return self.forget(name_of(state or ""))

    def forget(self, flow: str) -> str:
        """The Set-Cookie line that removes the secret of the flow of this name."""
        return removal(self.prefix + flow)


@dataclass(frozen=True, slots=True)
class NoteCookies:
    """One text that a browser keeps for us, in as many cookies as it needs: browsers take 4,096 bytes for each.

    Nothing about it is secret or trusted. Args: `prefix`, with which their names begin; `age`, how long it is kept;
    `most`, how many cookies there can be.
    """

    prefix: str
    age: timedelta
    most: int = _PIECES

    def keep(self, text: str | None) -> tuple[str, ...]:
        """The Set-Cookie lines that make a browser keep the text, or forget it; and any other that it has kept.

        Raises:
            ValueError: the text is too long, which is a bug.
        """
        value = base64url((text or "").encode())
        pieces = [value[start : start + _PIECE] for start in range(0, len(value), _PIECE)]
        if len(pieces) > self.most:
            raise ValueError("A browser is asked to keep too much.")
        age = int(self.age.total_seconds())
        kept = [
            f"{self._name(number)}={piece}; Path=/; Max-Age={age}; {ATTRIBUTES}" for number, piece in enumerate(pieces)
        ]
        return *kept, *(removal(self._name(number)) for number in range(len(pieces), self.most))

    def text(self, req: HttpRequest) -> str | None:
        """The text that the browser has kept; None if there is none, or if it is not one of ours."""
        sent = dict(_pairs(req))
        value = "".join(sent.get(self._name(number), "") for number in range(self.most))
        try:
            return from_base64url(value).decode() or None
        except ValueError:
            return None

    def _name(self, number: int) -> str:
        return f"{self.prefix}{number}"


class BrowserCookies:
    """Every sort of cookie that this deployment sets.

    Args:
        prefix: how their names begin, `__Host-` or `__Secure-`.
    """

    def __init__(self, prefix: str) -> None:
        self.invitation = FlowCookies(f"{prefix}azure-sso-invitation-")
        self.connect = FlowCookies(f"{prefix}azure-sso-connect-")
        self.link = FlowCookies(f"{prefix}azure-sso-link-", HANDLE)
        self.under_way = FlowCookies(f"{prefix}azure-sso-try-", HANDLE)
        self.sign_in = FlowCookies(f"{prefix}azure-sso-sign-in-")
        self.sign_out = FlowCookies(f"{prefix}azure-sso-sign-out-")
        self.portal_page = FlowCookies(f"{prefix}azure-sso-portal-page-")
        self.portal = portal_cookies(prefix)
        self.way_back = NoteCookies(f"{prefix}azure-sso-way-back-", timedelta(minutes=15))
        self.person = NoteCookies(f"{prefix}azure-sso-person-", REMEMBERED_FOR, most=1)
        self.probe = FlowCookies(f"{prefix}azure-sso-probe-").release("probe")
        """An empty Set-Cookie line that stores nothing; it shows what reaches the browser."""


def portal_cookies(prefix: str) -> FlowCookies:
    """The cookies of sessions in the portal. No other site's link, form or frame makes a browser send them."""
    return FlowCookies(f"{prefix}azure-sso-portal-", _DIGEST, ATTRIBUTES.replace("Lax", "Strict"))


def with_cookies[R: HttpResponse](answer: R, *lines: str) -> R:
    """The response with these Set-Cookie lines, each a header of its own (RFC 6265, section 3)."""
    for line in lines:
        answer.headers.add("Set-Cookie", line)
    return answer


def _pairs(req: HttpRequest) -> list[tuple[str, str]]:
    """The cookies that the browser sent. Only spaces and tabs are stripped from a name (RFC 6265, section 5.2).

    Python would strip more: a sibling domain may set a name of U+2000 and our prefix, to which browsers do not apply
    the rules of `__Host-`.
    """
    parts = (part.strip(" \t").partition("=") for part in req.headers.get("cookie", "").split(";"))
    return [(key, value) for key, _, value in parts]
