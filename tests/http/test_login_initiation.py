"""Third-party initiated login: a tile opens an application, which begins a sign-in of its own.

The attacker of these tests makes other people's browsers open links of hers.
"""

import httpx
import pytest

from local import loopback
from tests.http.conftest import Caller
from tests.http.signing_in import (
    ALICE,
    SCRIPT,
    Asked,
    NewPerson,
    Person,
    Register,
    Shown,
    answered,
    query_of,
    without_query,
)
from tests.support.service import RunningService

LOGIN = "https://unite.example/login?theme=dark"
MALLORY = "mallory@attacker.example"


@pytest.fixture
def tile(register: Register) -> None:
    """Unite has a tile."""
    register("unite", initiateLoginUri=LOGIN).raise_for_status()


def start(person: Person, **parameters: str) -> httpx.Response:
    """Open a link that starts Unite."""
    return person.open(
        str(httpx.URL(f"{person.service.url}/signin/start", params={"application": "unite"} | parameters))
    )


def started(response: httpx.Response) -> dict[str, str]:
    """What Unite gets, and nobody else."""
    assert response.status_code == 303, response.text
    assert without_query(response.headers["location"]) == without_query(LOGIN)
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in response.headers
    return query_of(response.headers["location"])


@pytest.mark.usefixtures("tile")
def test_a_tile_opens_the_application_which_begins_a_sign_in(
    contoso: Caller, person: Person, service: RunningService
) -> None:
    before = service.rows("flows")
    assert started(start(person)) == {"theme": "dark", "iss": service.url}
    place = "https://unite.example/reports/7?of=2026"
    told = started(start(person, iss=service.url, login_hint="Alice@CONTOSO.example", target_link_uri=place))
    assert told == {"theme": "dark", "iss": service.url, "login_hint": ALICE, "target_link_uri": place}
    assert service.rows("flows") == before, "nothing has begun"
    person.sign_in(Asked(), login_hint=told["login_hint"])
    assert started(start(person, login_hint=ALICE))["login_hint"] == ALICE
    assert "code" in person.sign_in(Asked(), login_hint=None), "and without a word, who is remembered"


@pytest.mark.usefixtures("tile")
@pytest.mark.parametrize(
    "parameters",
    [
        {"target_link_uri": place}
        for place in (
            "https://attacker.example/",
            "https://unite.example.attacker.example/",
            "https://unite.example@attacker.example/",
            "https://unite.example\\@attacker.example/",
            "//unite.example/",
            "/reports",
            "http://unite.example/",
            "https://unite.example:444/",
            "javascript:alert(1)",
            "https://[unite.example/",
            SCRIPT,
        )
    ]
    + [{"iss": "https://attacker.example"}, {"application": ""}, {"application": "nobody"}, {"application": "no name"}],
)
def test_no_link_leads_anywhere_else(person: Person, parameters: dict[str, str]) -> None:
    response = start(person, **parameters)
    assert (response.status_code, Shown.by(response).title) == (400, "Malformed request")
    assert "attacker" not in response.text


@pytest.mark.usefixtures("tile")
def test_a_parameter_counts_once(person: Person, service: RunningService) -> None:
    address = f"{service.url}/signin/start?application=unite&application=unite"
    assert person.open(address).status_code == 400


def test_an_application_without_a_place_for_it_cannot_be_started(unite: Asked, person: Person) -> None:
    response = start(person)
    assert response.status_code == 400
    assert "initiateLoginUri" in Shown.by(response).told


@pytest.mark.parametrize("uri", ["http://unite.example/login", "https://unite.example/login#here", "unite"])
def test_only_an_https_address_can_be_registered(register: Register, uri: str) -> None:
    assert register("unite", initiateLoginUri=uri).status_code == 422


# -- login CSRF -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("tile")
def test_a_hint_of_somebody_else_does_not_replace_who_is_remembered(contoso: Caller, person: Person) -> None:
    """A tenant of the attacker's can sign in whoever comes there: the person would work, unaware, in her account."""
    person.sign_in(Asked())
    for hint in (MALLORY, SCRIPT, "alice"):
        assert "login_hint" not in started(start(person, login_hint=hint))
    assert started(start(person, login_hint=ALICE))["login_hint"] == ALICE
    assert "code" in person.sign_in(Asked(), login_hint=None)


@pytest.mark.usefixtures("tile")
def test_a_sign_in_that_began_at_an_attackers_tile_ends_in_her_browser(
    contoso: Caller, person: Person, new_person: NewPerson, service: RunningService
) -> None:
    """She starts Unite, signs in, holds back the answer, and has somebody else's browser open it."""
    mallory, asked = new_person(), Asked()
    started(start(mallory))
    answer = mallory.answer(asked)
    started(start(person))
    response = person.open(answer)
    assert response.status_code == 400
    assert "It was started in another browser." in Shown.by(response).told
    assert person.cookies == {}, "nobody is remembered there"
    assert answered(mallory.open(answer))["state"] == asked.state


@pytest.mark.usefixtures("tile")
def test_a_form_or_a_frame_starts_nothing_more(person: Person, service: RunningService) -> None:
    address = f"{service.url}/signin/start"
    assert loopback.post(address, data={"application": "unite"}).status_code in {404, 405}
    framed = loopback.get(address, params={"application": "unite"}, headers={"Sec-Fetch-Dest": "iframe"})
    assert query_of(framed.headers["location"]) == {"theme": "dark", "iss": service.url}
