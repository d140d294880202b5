"""Notices to applications over HTTP, in a session that nothing else uses.

Operators register the addresses, and an operator's account can be stolen: so nothing is written to what answers on this
machine, in its network or beside its host. It is the address of the socket that is judged, at the moment of connecting:
however it was written, and whatever a name resolved to before (DNS rebinding), no other one is connected to.
"""

import asyncio
import socket
from collections import defaultdict
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.adapters.trust import trusting
from shared.kernel.names import ClientId
from shared.kernel.refusals import Unavailable

if TYPE_CHECKING:
    from aiohttp import AddrInfoType, ClientSession

_TIMEOUT_SECONDS = 5
"""For one notice, the wait for its turn included."""

_FOR_AN_APPLICATION = 4
_FOR_A_HOST = 8
"""Notices under way at the same time."""

_NAT64 = ip_network("64:ff9b::/96")
"""IPv4 addresses as an IPv6-only network reaches them (RFC 6052, section 2.1)."""

_GLOBAL_UNICAST = ip_network("2000::/3")
"""All that is assigned to the internet (https://www.iana.org/assignments/ipv6-address-space)."""

_WIRE_SERVER = IPv4Address("168.63.129.16")
"""Public by its number, and Azure's own host on every machine of Azure.

https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
"""


class HttpNotices:
    """Posts notices. Its session belongs to the event loop in which it is first used.

    Args:
        anywhere: whether private, loopback and link-local addresses are written to as well.
        ca_file: trusted beside the machine's own authorities; for development.
    """

    def __init__(self, *, anywhere: bool = False, ca_file: str | None = None) -> None:
        self._anywhere = anywhere
        self._ca_file = ca_file
        self._session: ClientSession | None = None
        self._applications: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_FOR_AN_APPLICATION))
        self._hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_FOR_A_HOST))

    async def post(self, client_id: ClientId, url: str, form: Mapping[str, str]) -> None:
        """See `shared.ports.notices.Notices`; no redirect is followed."""
        import aiohttp

        try:
            async with (
                asyncio.timeout(_TIMEOUT_SECONDS),
                self._applications[client_id],
                self._hosts[urlsplit(url).netloc],
                self._opened().post(url, data=dict(form), allow_redirects=False) as answer,
            ):
                heard = answer.ok and answer.status < 300  # noqa: PLR2004 - HTTP's number
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Unavailable("The application does not respond.") from error
        if not heard:
            raise Unavailable("The application rejected the request.")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
            self._applications.clear()
            self._hosts.clear()

    def _opened(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=trusting(self._ca_file),
                    socket_factory=None if self._anywhere else public_socket,
                    use_dns_cache=False,
                ),
                timeout=aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS, connect=2),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


def is_public(address: str) -> bool:
    """Whether a machine of the internet has this address, and not this machine, its network or its host.

    An IPv4 address that an IPv6 one carries inside is judged by itself; of the others only global unicast counts.

    Raises:
        ValueError: it is no address.
    """
    ip = _carried(ip_address(address))
    if isinstance(ip, IPv6Address) and ip not in _GLOBAL_UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and ip != _WIRE_SERVER


def _carried(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


def public_socket(info: "AddrInfoType") -> socket.socket:
    """A socket for an address that is about to be connected to, however it was written or resolved.

    Raises:
        OSError: it is not public.
    """
    family, kind, protocol, _, address = info
    if not is_public(str(address[0])):
        raise OSError("This address is not public.")
    return socket.socket(family, kind, protocol)
