"""Pages for people whose browser passes through: plain, accessible, without resources of other sites.

Only the page that waits has a script, which asks again, and the portal those of the panel. Templates, style, script and
words are files in `functions/pages/`; this module fills in the facts. Jinja2 is imported and the files are read for the
first page, since neither belongs in the cold start.
"""

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self
from urllib.parse import urlsplit

from azure.functions import HttpResponse

from functions.http.invocation import invocation_id
from functions.http.refusals import headers_of, status_of
from shared.access.roles import Actor
from shared.branding import Branding, Colour
from shared.kernel.addresses import native_scheme_of
from shared.kernel.refusals import Refusal

if TYPE_CHECKING:
    from jinja2 import Environment

_FILES: Final = Path(__file__).parents[2] / "pages"

LIGHT: Final = Colour("#ffffff")
DARK: Final = Colour("#151b23")
"""The background of the pages, in the browser's light and dark scheme."""


class Way(StrEnum):
    """A link by which a person leaves a page, as `words.toml` names it."""

    AGAIN = "again"
    OTHER_ACCOUNT = "other_account"
    SIGN_IN_AGAIN = "sign_in_again"
    APPLICATION = "application"
    CONTROL_PANEL = "control_panel"


@dataclass(frozen=True, slots=True)
class Pages:
    """The dialect for browsers: pages with the vendor's name and colour."""

    name: ClassVar = "Page"

    branding: Branding
    ways: tuple[tuple[Way, str], ...] = ()
    """The links of a page about a refusal that has no others."""

    @classmethod
    def leading_home(cls, branding: Branding, control_panel: str | None) -> Self:
        """Pages that lead to the control panel, if it is known, where nothing else is."""
        return cls(branding, ((Way.CONTROL_PANEL, control_panel),) if control_panel else ())

    def refused(self, refusal: Refusal, _invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        return self.refusal(refusal)

    def failed(self, invocation_id: str) -> HttpResponse:
        """See `functions.http.refusals.Dialect`."""
        return self._page("failure.html", {"ways": self.ways, "id": invocation_id}, status=500)

    def refusal(self, refusal: Refusal, *ways: tuple[Way, str]) -> HttpResponse:
        """A page about a refusal, with links to go on, each with its address. The first link is the recommended one."""
        facts = {"refusal": refusal, "ways": ways or self.ways, "id": invocation_id.get()}
        answer = self._page("refusal.html", facts, status=status_of(refusal))
        answer.headers.update(headers_of(refusal))
        return answer

    def email(
        self, application_name: str, action: str, parameters: Mapping[str, str], fault: str | None
    ) -> HttpResponse:
        """Ask for the address. An invalid one is shown again; the other parameters are hidden fields."""
        facts = {
            "application": application_name,
            "action": action,
            "kept": [(name, value) for name, value in parameters.items() if name != "login_hint"],
            "typed": parameters.get("login_hint"),
            "fault": fault,
        }
        form_action = _onwards(action, parameters.get("redirect_uri"))
        return self._page("email.html", facts, status=422 if fault else 200, form_action=form_action)

    def post_again(self, action: str, parameters: Mapping[str, tuple[str, ...]]) -> HttpResponse:
        """A page that sends another site's form again from our origin, so that the browser includes our cookies."""
        kept = [(name, value) for name, values in parameters.items() for value in values]
        addresses = parameters.get("redirect_uri", ())
        return self._page("post_again.html", {"action": action, "kept": kept}, form_action=_onwards(action, *addresses))

    def post_to_application(self, url: str, parameters: Mapping[str, str]) -> HttpResponse:
        """A page that posts the response to the application, by itself or by its button (Form Post Response Mode)."""
        split = urlsplit(url)
        facts = {"action": url, "host": split.hostname, "kept": parameters}
        origin = f"{split.scheme}://{split.netloc}"
        return self._page("form_post.html", facts, form_action=origin, script=_script("form_post.js"))

    def connect(
        self,
        account_name: str,
        started_by: str,
        action: str,
        kept: Mapping[str, str],
        *,
        tenant: str | None = None,
        unproven: bool = False,
    ) -> HttpResponse:
        """A page before Microsoft's consent page: what the administrator is about to do, and for which account.

        The form sends `kept` back, which only a browser that was shown this page can know. `tenant` is the organisation
        that was named for it. `unproven` asks for a second confirmation, after a form that came without it.
        """
        facts = {
            "account": account_name,
            "person": started_by,
            "action": action,
            "kept": kept,
            "tenant": tenant,
            "unproven": unproven,
        }
        return self._page("connect.html", facts, status=403 if unproven else 200, form_action=_onwards(action))

    def portal_invitation(
        self, account_name: str, actor: Actor, action: str, kept: Mapping[str, str], *, unproven: bool
    ) -> HttpResponse:
        """A page before the portal: which account it opens, and as whom. The form sends `kept` back, see `connect`."""
        facts = {"account": account_name, "actor": actor, "action": action, "kept": kept, "unproven": unproven}
        status = 403 if unproven else 200
        return self._page("portal_invitation.html", facts, status=status, form_action=_onwards(action))

    def portal(self, endpoint: str, account_id: str, scripts: Sequence[tuple[str, str]]) -> HttpResponse:
        """The page with the panel.

        Args:
            endpoint: the service, whose scripts the page loads, and which alone it asks.
            account_id: the account.
            scripts: the file names of the scripts, and their Subresource Integrity.
        """
        facts = {"endpoint": endpoint, "account": account_id, "scripts": scripts}
        sources = f"script-src {endpoint}/panel/", f"connect-src {endpoint}/"
        answer = self._page("portal.html", facts, sources=sources)
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return answer

    def connected(self, account_name: str, tenant_name: str) -> HttpResponse:
        """The account is connected, and the administrator is done."""
        return self._page("connected.html", {"account": account_name, "tenant": tenant_name})

    def waiting(self, action: str, kept: Mapping[str, str], seconds: int) -> HttpResponse:
        """Microsoft is not ready yet: the page loads itself again, or its button does."""
        facts = {"action": action, "kept": kept, "seconds": seconds}
        answer = self._page(
            "waiting.html", facts, status=202, form_action=_onwards(action), script=_script("waiting.js")
        )
        answer.headers["Retry-After"] = str(seconds)
        return answer

    def sign_out(
        self, application_name: str | None, action: str, kept: Mapping[str, str], fault: str | None
    ) -> HttpResponse:
        """Ask whether to sign out. A fault says why the person will not return to the application; they may go on."""
        facts = {"application": application_name, "action": action, "kept": kept, "fault": fault}
        form_action = _onwards(action, kept.get("post_logout_redirect_uri"))
        return self._page("sign_out.html", facts, status=400 if fault else 200, form_action=form_action)

    def sso_does_not_apply(self) -> HttpResponse:
        """What the error means, for a person who follows the `error_uri`, and for the application's developers."""
        return self._page("sso_does_not_apply.html", {})

    def signed_out(self) -> HttpResponse:
        """The person is signed out, and the application named no address to return to."""
        return self._page("signed_out.html", {})

    def signed_out_in_frame(self) -> HttpResponse:
        """A page for a frame of Microsoft's sign-out page (OpenID Connect Front-Channel Logout 1.0, section 2).

        Another site that frames it gains nothing: the page has nothing to click.
        """
        return self._page("signed_out.html", {}, framed=True)

    def _page(
        self,
        template: str,
        facts: Mapping[str, object],
        *,
        status: int = 200,
        form_action: str = "'none'",
        framed: bool = False,
        script: str | None = None,
        sources: tuple[str, ...] = (),
    ) -> HttpResponse:
        """A page without subresources but those in `sources`, and at most one script of ours, which no site may frame.

        Source: https://www.w3.org/TR/CSP3/
        """
        style, digest = _style(self.branding.colour)
        html = _templates().get_template(template).render(facts, vendor=self.branding, style=style, script=script)
        headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action {form_action}"
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for directive in sources:
            headers["Content-Security-Policy"] += f"; {directive}"
        if script:
            headers["Content-Security-Policy"] += f"; script-src 'sha256-{_hash(script)}'"
        if self.branding.logo:
            headers["Content-Security-Policy"] += "; img-src data:"
        if not framed:
            headers["Content-Security-Policy"] += "; frame-ancestors 'none'"
            headers["X-Frame-Options"] = "DENY"
        return HttpResponse(html, status_code=status, mimetype="text/html", headers=headers)


def redirect(url: str) -> HttpResponse:
    """Redirect the browser with GET (RFC 9110, section 15.4.4)."""
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return HttpResponse(status_code=303, headers=headers)


def _onwards(action: str, *ends: str | None) -> str:
    """The sources that `form-action` allows; on this machine also http, which the local Entra uses.

    Browsers also check the redirects that follow a form against `form-action`, and a sign-in passes hosts that only the
    customer's tenant knows. It ends at the application, whose address may have another scheme, if it is a native one.
    """
    schemes = ["https:" if action.startswith("https:") else "http:"]
    schemes += [f"{scheme}:" for scheme in map(native_scheme_of, filter(None, ends)) if scheme]
    return " ".join(("'self'", *dict.fromkeys(schemes)))


@functools.cache
def _templates() -> "Environment":
    """The templates, each compiled when it is first shown. An undefined variable is an error, never a gap."""
    import tomllib

    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = Environment(
        loader=FileSystemLoader(_FILES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["words"] = _marked(tomllib.loads((_FILES / "words.toml").read_text(encoding="utf-8")))
    return templates


def _marked(words: Any) -> Any:
    """Words as markup, so that they may hold emphasis, and values that are filled in are escaped."""
    from markupsafe import Markup

    match words:
        case dict():
            return {name: _marked(value) for name, value in words.items()}
        case list():
            return [_marked(value) for value in words]
        case _:
            return Markup(words)  # noqa: S704 - words.toml is ours


@functools.cache
def _style(colour: Colour) -> tuple[str, str]:
    """The style in a vendor's colour, as markup, and its hash for the Content-Security-Policy."""
    from markupsafe import Markup

    light, dark = _surface(LIGHT, colour), _surface(DARK, colour)
    rules = (_FILES / "style.css").read_text(encoding="utf-8")
    style = f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n{rules}"
    return Markup(style), _hash(style)  # noqa: S704 - and the style


@functools.cache
def _script(name: str) -> str:
    """The script of a page, as markup."""
    from markupsafe import Markup

    return Markup((_FILES / name).read_text(encoding="utf-8"))  # noqa: S704 - and the script


def _hash(text: str) -> str:
    """The hash of a style or a script, as the Content-Security-Policy writes it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _surface(surface: Colour, colour: Colour) -> str:
    """The CSS variables of one scheme: text in the vendor's colour, and text on it, is readable."""
    return f":root {{ --surface: {surface}; --accent: {colour.readable_on(surface)}; }}"
