"""What a client does, tried with the default registration first, and whether that is what `clients.toml` says."""

import time
from dataclasses import dataclass

from tests.clients.provider import Provider
from tests.clients.sign_in import Binding, sign_in
from tests.clients.table import Client


@dataclass(frozen=True)
class Verdict:
    """`works` is the least that the registration has to say for a sign-in, and None if nothing helps."""

    client: Client
    works: Binding | None
    seconds: float
    seen: str

    @property
    def as_expected(self) -> bool:
        """Whether the table says the same."""
        return self.works == self.client.works


def verdict_of(client: Client, provider: Provider) -> Verdict:
    """Try it."""
    begun, seen = time.monotonic(), []
    bindings: tuple[Binding, ...] = ("default",) if client.public else ("default", "none")
    for binding in bindings:
        ended = sign_in(client, provider, binding)
        if ended.signed_in:
            if binding == "none" and client.setting:
                hardened = sign_in(client, provider, "default", with_setting=True)
                if not hardened.signed_in:
                    seen.append(f"-- with {client.setting} --\n{hardened.seen}")
                    break
            return Verdict(client, binding, time.monotonic() - begun, "\n".join(seen))
        seen.append(f"-- {binding} --\n{ended.seen}")
    return Verdict(client, None, time.monotonic() - begun, "\n".join(seen))
