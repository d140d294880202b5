"""Whose an app-only token is: read for links alone, and nothing that stands in its way."""

import json

import pytest

from shared.adapters.entra.graph import holder_of
from shared.kernel.encoding import base64url
from shared.ports.organizations import ServicePrincipal

OBJECT, APP = "0b1ec700-0000-4000-8000-000000000001", "a5500000-0000-4000-8000-0000000000a5"


def token(**claims: object) -> str:
    return f"e30.{base64url(json.dumps(claims).encode())}.c2ln"


def test_an_app_only_token_says_whose_it_is() -> None:
    assert holder_of(token(oid=OBJECT, appid=APP)) == ServicePrincipal(object_id=OBJECT, app_id=APP)


@pytest.mark.parametrize(
    "opaque", ["", "opaque", "a.b!.c", "a.e30.c", token(oid=OBJECT), token(oid="javascript:alert(1)", appid=APP)]
)
def test_a_token_that_says_nothing_of_it_leaves_it_unknown(opaque: str) -> None:
    assert holder_of(opaque) is None
