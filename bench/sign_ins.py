"""Sign-ins: what a whole one costs with one browser and with eight at once, and its first step alone.

The figure is the CPU time of the service's process, and so is that of a peer, beside it in the same rounds. What the
browsers, Entra and the store took is shown, since all share this machine: the waiting times are for information.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlsplit

from bench.browsers import sign_ins
from bench.load import LoadError, Plan, Shot, fire, request
from bench.peers.peer import Provider, Surroundings
from bench.peers.registry import running_peers
from bench.people import hire
from bench.report import Table, figure
from bench.rounds import Case, Reading, Readings, cpu_of, interleaved, reading_of
from bench.scale import Scale
from bench.stage import whole_service
from bench.used import cpu_seconds_warm
from local import loopback
from local.processes import azurite
from tests.support.wire import canned_web

BROWSERS: Final = (1, 8)
_CALLERS: Final = 16
SERVICE: Final = "the service"
_BESIDE: Final = ("the browsers", "Entra", "the store")


@dataclass(frozen=True, slots=True)
class _Contender:
    """Where people sign in: the service or a peer, the processes that it is, and those that work for it."""

    provider: Provider
    pids: Sequence[int]
    beside: Mapping[str, Sequence[int]]
    slow_to_warm: int = 1

    def measured(self, shoot: Callable[[], Shot]) -> Reading:
        """The CPU time of each of the processes for one of the answers, in milliseconds."""
        groups = {"": self.pids, **self.beside}
        before = {name: sum(map(cpu_seconds_warm, pids)) for name, pids in groups.items()}
        shot = shoot()
        spent = {name: sum(map(cpu_seconds_warm, pids)) - before[name] for name, pids in groups.items()}
        beside = {name: 1000 * seconds / shot.count for name, seconds in spent.items() if name}
        load = 1000 * shot.busy * shot.seconds / shot.count
        return replace(reading_of(shot, spent[""]), beside={"the browsers": load, **beside})


def measure(scale: Scale) -> list[Table]:
    """Let people sign in to the service, and to the peers that run, in turn."""
    with _contenders(scale) as (contenders, people):
        cases: dict[str, Case] = {}
        for name, contender in contenders.items():
            sign_ins(contender.provider, people, contender.slow_to_warm * scale.warm_up // len(people))
            for browsers in BROWSERS:
                some, times = people[:browsers], scale.sign_ins // browsers
                cases[signing_in(name, browsers)] = partial(_sign_in, contender, some, times)
            cases[_authorizing(name)] = partial(_authorize, contender, people, scale)
        readings = interleaved(cases, scale.rounds)
    whole = [_row(readings, signing_in(name, browsers), browsers) for browsers in BROWSERS for name in contenders]
    first = [[*_figures(readings, name, _authorizing(name), _authorizing(SERVICE))] for name in contenders]
    columns = ["a whole sign-in", *_COLUMNS, *(f"{each}, CPU ms" for each in _BESIDE)]
    return [
        Table("sign_ins", columns, whole, scale.rounds),
        Table("authorize", [f"authorize alone, {_CALLERS} callers", *_COLUMNS], first, scale.rounds),
    ]


_COLUMNS: Final = ["CPU ms", "a core-second", "CPU to ours", "p50 ms", "p99 ms"]


def signing_in(name: str, browsers: int) -> str:
    """The case of a whole sign-in."""
    return f"{name}, {browsers} browser{'s' if browsers > 1 else ''}"


def _authorizing(name: str) -> str:
    return f"{name}, authorize alone"


def _row(readings: Readings, case: str, browsers: int) -> list[str]:
    def spent(who: str) -> float:
        return readings.middle(case, lambda reading: reading.beside.get(who, 0.0))

    return [*_figures(readings, case, case, signing_in(SERVICE, browsers)), *(figure(spent(who)) for who in _BESIDE)]


def _figures(readings: Readings, title: str, case: str, ours: str) -> list[str]:
    cpu = readings.middle(case, cpu_of)
    return [
        title,
        figure(cpu),
        figure(1000 / cpu),
        figure(readings.ratio(case, ours, cpu_of)),
        figure(readings.middle(case, lambda reading: reading.p50)),
        figure(readings.middle(case, lambda reading: reading.p99)),
    ]


def _sign_in(contender: _Contender, people: Sequence[str], times: int, _: int) -> Reading:
    return contender.measured(lambda: sign_ins(contender.provider, people, times))


def _authorize(contender: _Contender, people: Sequence[str], scale: Scale, _: int) -> Reading:
    """One request of many applications' browsers: the redirect to the login, Entra's where there is an upstream."""
    provider = contender.provider
    addresses = [provider.address(provider.request_of(each)) for each in islice(cycle(people), scale.questions)]
    first = loopback.get(addresses[0])
    if not first.has_redirect_location:
        raise LoadError(f"A browser should be redirected: {first.status_code} {first.text}")
    parts = urlsplit(provider.authorization_endpoint)
    headers = {"Host": parts.netloc, "Accept": "text/html"}
    requests = [request("GET", address[address.index(parts.path) :], headers) for address in addresses]
    plan = Plan(parts.port or 80, requests, _CALLERS, 60 * scale.seconds)
    return contender.measured(lambda: fire(plan, first.status_code))


@contextmanager
def _contenders(scale: Scale) -> Generator[tuple[dict[str, _Contender], list[str]]]:
    """The service, connected and with SSO on, and beside it the peers at which somebody can sign in; and the people."""
    with ExitStack() as stack:
        store, web = stack.enter_context(azurite()), stack.enter_context(canned_web())
        whole = stack.enter_context(whole_service(store))
        application = f"{web.url}/callback"
        whole.story.begin()
        registration = {"name": "Unite", "ssoSupported": True, "redirectUris": [application]}
        whole.story.must("operator", "PUT", "/v1/applications/unite", json=registration, etag="*")
        people = hire(whole.entra, max(BROWSERS))
        ours = Provider(
            authorization_endpoint=f"{whole.host.url}/oauth2/authorize",
            token_endpoint=f"{whole.host.url}/oauth2/token",
            client_id="unite",
            redirect_uri=application,
        )
        entra = [whole.entra.child.process.pid]
        beside: dict[str, Sequence[int]] = {
            "Entra": entra,
            "the store": [store.child.process.pid] if store.child else [],
        }
        contenders = {SERVICE: _Contender(ours, [whole.host.child.process.pid], beside)}
        if scale.peers:
            surroundings = Surroundings(entra=whole.entra, people=people, redirect_uri=application)
            for peer in stack.enter_context(running_peers(surroundings)):
                if peer.provider:
                    beside = {"Entra": [*entra, *peer.entra_pids], "the store": peer.database_pids}
                    contenders[peer.title] = _Contender(peer.provider, peer.pids, beside, peer.slow_to_warm)
        yield contenders, people
