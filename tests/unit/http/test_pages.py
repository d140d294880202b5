"""Pages: each runs nothing and loads nothing, whatever stands in it, and looks like the vendor's."""

import base64
import hashlib
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from string import Formatter
from typing import Any

import pytest
from azure.functions import HttpResponse
from jinja2 import UndefinedError

from functions.http.dialects import pages as module
from functions.http.dialects.pages import DARK, LIGHT, Pages, Way
from local.processes import ROOT
from shared.access.roles import Actor
from shared.branding import Branding, Colour, Logo, VendorName
from shared.kernel.refusals import Malformed, Throttled

BLUE = Colour("#0b5cad")
NOBODY = Branding(name=None, logo=None, colour=BLUE)
LOGO = Logo("data:image/svg+xml;base64," + base64.b64encode(b"<svg onload='alert(1)'/>").decode())
HOSTILE = "\"'></p></title></style><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}{0}"
ACTION = "https://sso.example/oauth2/authorize"
FILES = ROOT / "functions" / "pages"

EVERY: dict[str, Callable[[Pages, str], HttpResponse]] = {
    "refused": lambda pages, text: pages.refused(Malformed(text), text),
    "failed": lambda pages, text: pages.failed(text),
    "refusal with ways": lambda pages, text: pages.refusal(
        Malformed(text), *((way, f"https://a/{text}") for way in Way)
    ),
    "email": lambda pages, text: pages.email(text, ACTION, {"state": text, text: text}, None),
    "email with a fault": lambda pages, text: pages.email(text, ACTION, {"login_hint": text}, text),
    "connect": lambda pages, text: pages.connect(text, text, ACTION, {"shown": text}),
    "connect one tenant": lambda pages, text: pages.connect(text, text, ACTION, {"shown": text}, tenant=text),
    "connect once more": lambda pages, text: pages.connect(text, text, ACTION, {"shown": text}, unproven=True),
    "portal invitation": lambda pages, text: pages.portal_invitation(
        text, Actor(text, None, "SecurityManager"), ACTION, {"shown": text}, unproven=False
    ),
    "portal invitation once more": lambda pages, text: pages.portal_invitation(
        text, Actor("sub", text, "SecurityReader"), ACTION, {"shown": text}, unproven=True
    ),
    "portal": lambda pages, text: pages.portal("https://sso.example", text, [("panel.js", text), (text, "sha384-x")]),
    "waiting": lambda pages, text: pages.waiting(ACTION, {"ticket": text}, 5),
    "connected": lambda pages, text: pages.connected(text, text),
    "form post": lambda pages, text: pages.post_to_application(ACTION, {"state": text}),
    "post again": lambda pages, text: pages.post_again(ACTION, {"state": (text,), text: (text, text)}),
    "sign out": lambda pages, text: pages.sign_out(text, ACTION, {"shown": text}, None),
    "sign out of nothing": lambda pages, text: pages.sign_out(None, ACTION, {"state": text}, text),
    "SSO does not apply": lambda pages, _: pages.sso_does_not_apply(),
    "signed out": lambda pages, _: pages.signed_out(),
    "signed out in a frame": lambda pages, _: pages.signed_out_in_frame(),
}
"""Every page, with a text wherever one is filled in."""

SCRIPTED = (EVERY["waiting"], EVERY["form post"])
"""The pages that run a script of ours."""

PORTAL = EVERY["portal"]
"""The page that loads the panel's two scripts, and asks the service."""

each_page = pytest.mark.parametrize("show", EVERY.values(), ids=EVERY)


def html_of(answer: HttpResponse) -> str:
    return answer.get_body().decode()


class Elements(HTMLParser):
    """The elements of a page, as a browser reads it."""

    def __init__(self, answer: HttpResponse) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html_of(answer))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def policy_of(answer: HttpResponse) -> dict[str, str]:
    return dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))


@each_page
def test_what_is_filled_in_cannot_speak_html(show: Callable[[Pages, str], HttpResponse]) -> None:
    branding = Branding(name=VendorName("</title><script>alert(1)</script>"), logo=None, colour=BLUE)
    page = Elements(show(Pages(branding), HOSTILE))
    assert {tag for tag, _ in page.found} & {"img", "iframe", "link", "object", "base"} == set()
    assert len(page.all("script")) == (2 if show is PORTAL else show in SCRIPTED)
    assert [
        name for _, attributes in page.found for name in attributes if name.startswith("on") or name == "style"
    ] == []
    assert [len(page.all(tag)) for tag in ("html", "title", "style", "main", "h1")] == [1, 1, 1, 1, 1]


@each_page
def test_the_policy_lets_a_page_have_its_style_and_nothing_else(show: Callable[[Pages, str], HttpResponse]) -> None:
    answer = show(Pages(NOBODY), "Acme")
    style = html_of(answer).partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = policy_of(answer)
    assert {name: policy[name] for name in ("default-src", "style-src", "base-uri")} == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "base-uri": "'none'",
    }
    asked = {"connect-src"} if show is PORTAL else set()
    assert policy.keys() - {"script-src"} - asked <= {
        "default-src",
        "style-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    }
    assert ("script-src" in policy) == (show in (*SCRIPTED, PORTAL))
    assert not re.search(r"url\(|@import|src=", html_of(answer)) or show is PORTAL


@each_page
def test_a_logo_is_the_only_image_and_comes_from_nowhere(show: Callable[[Pages, str], HttpResponse]) -> None:
    answer = show(Pages(Branding(name=VendorName("Vendor"), logo=LOGO, colour=BLUE)), HOSTILE)
    assert Elements(answer).all("img") == [{"src": LOGO, "alt": "Vendor"}]
    assert policy_of(answer)["img-src"] == "data:"
    assert policy_of(answer)["default-src"] == "'none'"


def test_without_a_logo_the_name_is_shown_and_without_a_name_nothing() -> None:
    named = html_of(Pages(Branding(name=VendorName("Vendor & Co"), logo=None, colour=BLUE)).signed_out())
    assert "<header>Vendor &amp; Co</header>" in named
    assert "<title>Signed out · Vendor &amp; Co</title>" in named
    unnamed = html_of(Pages(NOBODY).signed_out())
    assert "<header>" not in unnamed
    assert "<title>Signed out</title>" in unnamed


@pytest.mark.parametrize("colour", ["#0b5cad", "#ffd400", "#ffffff", "#000000"])
def test_the_vendors_colour_can_be_read_on_both_surfaces_and_under_them(colour: str) -> None:
    html = html_of(Pages(Branding(name=None, logo=None, colour=Colour(colour))).signed_out())
    light, dark = re.findall(r"--surface: (#\w{6}); --accent: (#\w{6});", html)
    assert (light[0], dark[0]) == (LIGHT, DARK)
    for surface, accent in (light, dark):
        assert Colour(accent).contrast(Colour(surface)) >= 4.5
    assert (light[1] == colour) == (Colour(colour).contrast(LIGHT) >= 4.5)


def test_every_other_colour_of_the_style_can_be_read_on_what_it_stands_on() -> None:
    style = (FILES / "style.css").read_text(encoding="utf-8")
    light, dark = style.split("@media (prefers-color-scheme: dark)")[:2]
    for surface, rules in ((LIGHT, light), (DARK, dark)):
        said = {name: Colour(value) for name, value in re.findall(r"--(\w+): (#\w{6});", rules)}
        assert said.keys() == {"text", "muted", "sunken", "line", "control", "ok", "warning", "stopped"}
        for name in ("text", "muted", "ok", "warning", "stopped"):
            assert said[name].contrast(surface) >= 4.5, name
            assert said[name].contrast(said["sunken"]) >= 4.5, name
        assert said["control"].contrast(surface) >= 3


def test_only_the_frames_page_can_be_framed() -> None:
    framed = {name for name, show in EVERY.items() if "frame-ancestors" not in policy_of(show(Pages(NOBODY), "Acme"))}
    assert framed == {"signed out in a frame"}
    unmarked = {name for name, show in EVERY.items() if "X-Frame-Options" not in show(Pages(NOBODY), "Acme").headers}
    assert unmarked == framed


def test_only_forms_lead_anywhere() -> None:
    leading = {
        name: policy_of(show(Pages(NOBODY), "Acme"))["form-action"]
        for name, show in EVERY.items()
        if "<form" in html_of(show(Pages(NOBODY), "Acme"))
    }
    to_the_application_alone = {"form post": "https://sso.example"}
    assert leading == dict.fromkeys(leading, "'self' https:") | to_the_application_alone
    plain = {"email", "email with a fault", "post again", "waiting", "sign out", "sign out of nothing"}
    portal = {"portal invitation", "portal invitation once more"}
    assert leading.keys() == plain | portal | {"connect", "connect one tenant", "connect once more", "form post"}
    for name in EVERY.keys() - leading.keys():
        assert policy_of(EVERY[name](Pages(NOBODY), "Acme"))["form-action"] == "'none'", name


@each_page
def test_a_page_has_at_most_one_primary_button(show: Callable[[Pages, str], HttpResponse]) -> None:
    page = Elements(show(Pages(NOBODY), "Acme"))
    assert len(page.all("button")) + len([link for link in page.all("a") if link.get("class") == "button"]) <= 1


def test_every_way_has_its_words_and_its_address() -> None:
    answer = Pages(NOBODY).refusal(Malformed("Why."), *((way, f"https://a.example/?way={way}&b=c") for way in Way))
    assert [link["href"] for link in Elements(answer).all("a")] == [f"https://a.example/?way={way}&b=c" for way in Way]
    assert len({*re.findall(r'">([^<]+)</a>', html_of(answer))}) == len(Way)


def test_a_refusals_headers_go_along() -> None:
    answer = Pages(NOBODY).refusal(Throttled("Too often.", 7))
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


def words(told: Any, name: str = "") -> dict[str, str]:
    """Every word of the file by its name."""
    if isinstance(told, dict):
        return {key: text for part, each in told.items() for key, text in words(each, f"{name}.{part}").items()}
    return {name: "\n".join(told) if isinstance(told, list) else told}


def test_every_word_is_said_on_some_page_and_no_page_says_another() -> None:
    """The other half is Jinja's: what a template names and the words lack is an error."""
    shown = "\n".join(unescape(html_of(show(Pages(NOBODY), "Acme"))) for show in EVERY.values())
    for name, text in words(module._templates().globals["words"]).items():
        for line in unescape(text).split("\n"):
            said = [part for part, *_ in Formatter().parse(line)]
            assert all(part in shown for part in said), name


def test_the_page_that_waits_runs_our_script_and_no_other_and_has_a_button_without_it() -> None:
    answer = Pages(NOBODY).waiting(ACTION, {"ticket": HOSTILE}, 5)
    script = html_of(answer).partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy_of(answer)["script-src"] == f"'sha256-{digest}'"
    assert script == (FILES / "waiting.js").read_text(encoding="utf-8")
    page = Elements(answer)
    assert page.all("form") == [{"method": "get", "action": ACTION, "data-seconds": "5"}]
    assert page.all("input") == [{"type": "hidden", "name": "ticket", "value": HOSTILE}]
    assert len(page.all("button")) == 1
    assert (answer.status_code, answer.headers["Retry-After"]) == (202, "5")


def test_a_refusal_without_another_way_leads_to_the_control_panel_if_it_is_known() -> None:
    home = (Way.CONTROL_PANEL, "https://panel.example/sso/")
    pages = Pages(NOBODY, (home,))
    assert [each["href"] for each in Elements(pages.refused(Malformed("No."), "")).all("a")] == [home[1]]
    assert Elements(Pages(NOBODY).refused(Malformed("No."), "")).all("a") == []


def test_an_error_of_ours_leads_on_too() -> None:
    pages = Pages.leading_home(NOBODY, "https://panel.example/sso/")
    assert [each["href"] for each in Elements(pages.failed("id")).all("a")] == ["https://panel.example/sso/"]
    assert Elements(Pages.leading_home(NOBODY, None).failed("id")).all("a") == []


def test_the_portal_loads_pinned_scripts_of_the_service_and_asks_it_alone() -> None:
    answer = PORTAL(Pages(NOBODY), "acme")
    policy = policy_of(answer)
    assert policy["script-src"] == "https://sso.example/panel/"
    assert policy["connect-src"] == "https://sso.example/"
    page = Elements(answer)
    assert [each["src"] for each in page.all("script")] == [
        f"https://sso.example/panel/{n}" for n in ("panel.js", "acme")
    ]
    assert all(each["integrity"] and each["crossorigin"] == "anonymous" for each in page.all("script"))
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


def test_what_matters_stands_out() -> None:
    assert "<strong>Sam &amp; Co</strong> asks you" in html_of(Pages(NOBODY).connect("Acme", "Sam & Co", ACTION, {}))


def test_what_is_missing_in_a_template_is_an_error_and_no_gap() -> None:
    template = module._templates().from_string("{{ words.email.titel }}")
    with pytest.raises(UndefinedError):
        template.render()


def test_the_words_are_in_the_language_that_the_page_names() -> None:
    assert Elements(Pages(NOBODY).signed_out()).all("html") == [{"lang": "en"}]
