"""Every port kept in memory, by name: `assemble(fakes())` is the whole product without I/O."""

from functools import cache
from typing import Any

from shared.adapters.jose import Jose
from shared.branding import Branding, Colour
from shared.connection.return_urls import ReturnUrls
from shared.kernel.seals import Seal
from shared.product_ports import Ports
from tests.support.fakes import (
    Doorbells,
    FakeAccessTokens,
    FakeEntra,
    FixedClock,
    InMemoryTable,
    NotedEvents,
    Unremembered,
)
from tests.support.signing_keys import InMemorySigningKeys

ISSUER = "https://sso.example"


@cache
def signing_keys() -> InMemorySigningKeys:
    """Made once: an RSA key takes its time."""
    return InMemorySigningKeys(FixedClock())


def fakes(**overrides: Any) -> Ports:
    """New ports, except those given by name.

    `entra` is given once for the three ports that it implements. A recent reader that is not given reads its table and
    caches nothing.
    """
    given: dict[str, Any] = {"clock": FixedClock(), "signing_keys": signing_keys(), "public_url": ISSUER} | overrides
    for table in ("accounts", "domains", "applications", "flows", "duties"):
        given.setdefault(table, InMemoryTable())
    for table in ("accounts", "domains", "applications"):
        given.setdefault(f"recent_{table}", Unremembered(given[table]))
    others: dict[str, Any] = {
        "cookie_prefix": "__Host-",
        "branding": Branding(name=None, logo=None, colour=Colour("#0b5cad")),
        "return_urls": ReturnUrls.parse(()),
        "home_tenant": None,
        **dict.fromkeys(("sign_in", "consent", "organizations"), given.pop("entra", None) or FakeEntra()),
        "authority": "https://entra.example/{}".format,
        "access_tokens": FakeAccessTokens(given["clock"]),
        "tokens": Jose(keys=given["signing_keys"], issuer=given["public_url"], clock=given["clock"]),
        "notices": Doorbells(),
        "seal": Seal((b"a key of the tests, which seals notes",)),
        "telemetry": NotedEvents(),
        "close": nothing,
    }
    return Ports(**others | given)


async def nothing() -> None:
    """Memory needs no closing."""
