"""How recently somebody must have signed in: the whole table."""

from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.provider.authorization_request import AuthorizationRequest, Prompt
from shared.provider.reauthentication import LEEWAY, AuthTimeMissing, SignInTooOld, prove_recent
from tests.support.fakes import NEW_YEAR
from tests.unit.provider.world import CALLBACK, UNITE

BEGUN = NEW_YEAR
BACK = BEGUN + timedelta(minutes=5)
SECOND = timedelta(seconds=1)

PROMPTS = [None, Prompt.NONE, Prompt.SELECT_ACCOUNT]


def asking(**wishes: Any) -> AuthorizationRequest:
    return AuthorizationRequest(
        client_id=UNITE, redirect_uri=CALLBACK, scope=("openid",), code_challenge="c" * 43, **wishes
    )


def prove(request: AuthorizationRequest, auth_time: datetime | None) -> None:
    prove_recent(request, auth_time, begun_at=BEGUN, now=BACK)


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("auth_time", [None, NEW_YEAR - timedelta(days=90), BACK])
def test_who_is_not_asked_to_be_recent_need_not_be(prompt: Prompt | None, auth_time: datetime | None) -> None:
    prove(asking(prompt=prompt), auth_time)


@pytest.mark.parametrize(
    "wishes",
    [
        {"prompt": Prompt.LOGIN},
        *({"prompt": prompt, "max_age": age} for prompt in PROMPTS for age in (0, 1, 10**9 - 1)),
    ],
    ids=str,
)
def test_what_nobody_knows_is_not_recent(wishes: dict[str, Any]) -> None:
    with pytest.raises(AuthTimeMissing, match="operators must fix this"):
        prove(asking(**wishes), None)


@pytest.mark.parametrize(
    ("wishes", "earliest"),
    [
        ({"prompt": Prompt.LOGIN}, BEGUN),
        ({"prompt": Prompt.LOGIN, "max_age": 86_400}, BEGUN),
        ({"max_age": 0}, BEGUN),
        ({"max_age": 0, "prompt": Prompt.SELECT_ACCOUNT}, BEGUN),
        ({"max_age": 299}, BEGUN),
        ({"max_age": 300}, BEGUN),
        ({"max_age": 301}, BEGUN - SECOND),
        ({"max_age": 86_400}, BACK - timedelta(days=1)),
        ({"max_age": 86_400, "prompt": Prompt.NONE}, BACK - timedelta(days=1)),
    ],
    ids=str,
)
def test_a_sign_in_is_recent_within_max_age_or_since_the_request_began(
    wishes: dict[str, Any], earliest: datetime
) -> None:
    """Who was asked to sign in anew has the leeway; whether anybody is asked is decided without."""
    leeway = LEEWAY if asking(**wishes).asks_for_login else timedelta()
    for early, refused in ((timedelta(), False), (leeway, False), (leeway + SECOND, True), (timedelta(days=9), True)):
        with pytest.raises(SignInTooOld) if refused else nullcontext():
            prove(asking(**wishes), earliest - early)


@given(
    prompt=st.none() | st.sampled_from(Prompt),
    max_age=st.none() | st.integers(0, 999_999_999),
    waited=st.timedeltas(timedelta(), timedelta(minutes=15)),
)
def test_whoever_signs_in_when_asked_is_let_in_however_long_it_takes(
    prompt: Prompt | None, max_age: int | None, waited: timedelta
) -> None:
    prove_recent(asking(prompt=prompt, max_age=max_age), BEGUN, begun_at=BEGUN, now=BEGUN + waited)
