"""Azure Key Vault on the loopback, as far as signing keys need it: list, get, sign, wrap and unwrap.

It serves https under its real name, which its own transport resolves to the loopback, so that the SDK's checks of the
vault's address and challenge run unchanged. It is as strict as the vault: it requires a token for vaults and the
permission, and signs with no version that is disabled or outside its validity period. Source:
https://learn.microsoft.com/rest/api/keyvault/keys/operation-groups
"""

import asyncio
import base64
import secrets
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import aiohttp
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import AioHttpTransport
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256

from shared.adapters.system_clock import SystemClock
from shared.ports.clock import Clock

RESOURCE = "https://vault.azure.net"
TENANT = "c0c00000-0000-4000-8000-00000000cafe"
KEY_NAME = "token-signing"
WRAPPING_NAME = "wrapping"
API_VERSION = "2025-07-01"
_OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)
PAGE = 2
"""Versions on a page of the list, so few that lists have several pages."""


@dataclass
class Version:
    """One version of the key; times as the vault keeps them, in whole seconds."""

    vault_url: str
    created: int
    private: Any
    enabled: bool = True
    nbf: int | None = None
    exp: int | None = None
    kty: str = "RSA"
    key: str = KEY_NAME
    name: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def kid(self) -> str:
        return f"{self.vault_url}/keys/{self.key}/{self.name}"

    def attributes(self) -> dict[str, Any]:
        times = {"created": self.created, "updated": self.created, "nbf": self.nbf, "exp": self.exp}
        known = {name: value for name, value in times.items() if value is not None}
        return {"enabled": self.enabled, **known, "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}

    def jwk(self) -> dict[str, Any]:
        numbers = self.private.public_key().public_numbers()
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            members = {"crv": "P-256", "x": _base64url(_octets(numbers.x)), "y": _base64url(_octets(numbers.y))}
        else:
            members = {"n": _base64url(_octets(numbers.n)), "e": _base64url(_octets(numbers.e))}
        uses = ["sign", "verify"] if self.key == KEY_NAME else ["wrapKey", "unwrapKey"]
        return {"kid": self.kid, "kty": self.kty, "key_ops": uses, **members}


class VaultError(Exception):
    """An error response: the vault's codes and their statuses."""

    def __init__(self, status: int, code: str, inner: str | None = None, **headers: str) -> None:
        super().__init__(code)
        inner_error = {"innererror": {"code": inner}} if inner else {}
        self.status, self.headers = status, headers
        self.body = {"error": {"code": code, "message": "The vault says no.", **inner_error}}


class Identity:
    """The app's identity: gets a token for any resource, like Entra's."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.asked: list[str] = []

    async def get_token(self, *scopes: str, tenant_id: str | None = None, **_: Any) -> AccessToken:
        assert tenant_id == TENANT, f"the challenge named {TENANT}"
        self.asked += scopes
        token = secrets.token_urlsafe(32)
        self.tokens[token] = scopes[0]
        return AccessToken(token, int(SystemClock().now().timestamp()) + 3600)

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Vault:
    """The vault with one key, and the controls of a test.

    `requests` lists the authenticated requests; `permissions` are those of the app's role; `status` is returned for
    every request, `delay` slows each down; `resource` is the resource in its challenge.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ca = trustme.CA()
        # A name of its own: the SDK remembers the challenges of each vault for as long as the process lives.
        self.host = f"signing-{secrets.token_hex(4)}.vault.azure.net"
        self.url = f"https://{self.host}"
        self.port = 0
        self.identity = Identity()
        self.versions: list[Version] = []
        self.requests: list[str] = []
        self.wrapping = Version(self.url, _unix(clock.now()), rsa.generate_private_key(65537, 2048), key=WRAPPING_NAME)
        self.permissions = {"list", "get", "sign", "wrapKey", "unwrapKey"}
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.resource = RESOURCE

    def add(self, *, bits: int = 2048, kty: str = "RSA", ago: timedelta = timedelta(), **attributes: Any) -> Version:
        """A new version, created now or some time `ago`."""
        elliptic = kty == "EC"
        private = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, bits)
        times = {name: _unix(at) if isinstance(at, datetime) else at for name, at in attributes.items()}
        version = Version(self.url, _unix(self._clock.now() - ago), private, kty=kty, **times)
        self.versions.append(version)
        return version

    def transport(self) -> AioHttpTransport:
        """The transport by which the SDK reaches and trusts this vault."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        connector = aiohttp.TCPConnector(ssl=context, resolver=_Loopback(self))
        return AioHttpTransport(session=aiohttp.ClientSession(connector=connector, trust_env=False))

    async def start(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._ca.issue_cert(self.host).configure_cert(context)
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get(f"/keys/{KEY_NAME}/versions", self._list),
                web.get(f"/keys/{KEY_NAME}/{{version}}", self._get),
                web.post(f"/keys/{KEY_NAME}/{{version}}/sign", self._sign),
                web.get(f"/keys/{WRAPPING_NAME}/", self._get_wrapping),
                web.get(f"/keys/{WRAPPING_NAME}/{{version}}", self._get_wrapping),
                web.post(f"/keys/{WRAPPING_NAME}/{{version}}/wrapkey", self._wrap),
                web.post(f"/keys/{WRAPPING_NAME}/{{version}}/unwrapkey", self._unwrap),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, listening, ssl_context=context).start()

    async def stop(self) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        await asyncio.sleep(self.delay)
        try:
            self._admit(request)
            return await handler(request)
        except VaultError as error:
            return web.json_response(error.body, status=error.status, headers=error.headers)
        except web.HTTPNotFound:
            return web.json_response({"error": {"code": "KeyNotFound", "message": "No such key."}}, status=404)

    def _admit(self, request: web.Request) -> None:
        if self.status is not None:
            raise VaultError(self.status, "Fault", **self.headers)
        if request.query.get("api-version") != API_VERSION:
            raise VaultError(400, "BadParameter")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or self.identity.tokens.get(token) != f"{RESOURCE}/.default":
            authorization = f"https://login.microsoftonline.com/{TENANT}"
            challenge = f'Bearer authorization="{authorization}", resource="{self.resource}"'
            raise VaultError(401, "Unauthorized", **{"WWW-Authenticate": challenge})

    def _allow(self, permission: str) -> None:
        self.requests.append(permission)
        if permission not in self.permissions:
            raise VaultError(403, "Forbidden", "ForbiddenByRbac")

    def _find(self, request: web.Request) -> Version:
        for version in self.versions:
            if version.name == request.match_info["version"]:
                if not version.enabled:
                    raise VaultError(403, "Forbidden", "KeyDisabled")
                return version
        raise VaultError(404, "KeyNotFound")

    async def _list(self, request: web.Request) -> web.Response:
        self._allow("list")
        if not self.versions:
            raise VaultError(404, "KeyNotFound")
        first = int(request.query.get("$skiptoken", "0"))
        items = [{"kid": each.kid, "attributes": each.attributes()} for each in self.versions[first : first + PAGE]]
        following = f"{self.url}/keys/{KEY_NAME}/versions?api-version={API_VERSION}&$skiptoken={first + PAGE}"
        more = first + PAGE < len(self.versions)
        return web.json_response({"value": items, "nextLink": following if more else None})

    async def _get(self, request: web.Request) -> web.Response:
        self._allow("get")
        version = self._find(request)
        return web.json_response({"key": version.jwk(), "attributes": version.attributes()})

    async def _sign(self, request: web.Request) -> web.Response:
        self._allow("sign")
        version = self._find(request)
        now = _unix(self._clock.now())
        if (version.nbf is not None and now < version.nbf) or (version.exp is not None and now >= version.exp):
            raise VaultError(403, "Forbidden", "KeyNotYetValidOrExpired")
        asked = await request.json()
        digest = base64.urlsafe_b64decode(asked["value"] + "==")
        if request.content_type != "application/json" or asked["alg"] != "RS256" or len(digest) != SHA256.digest_size:
            raise VaultError(400, "BadParameter")
        signature = version.private.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
        return web.json_response({"kid": version.kid, "value": _base64url(signature)})

    async def _get_wrapping(self, request: web.Request) -> web.Response:
        self._allow("get")
        if request.match_info.get("version", self.wrapping.name) != self.wrapping.name:
            raise VaultError(404, "KeyNotFound")
        return web.json_response({"key": self.wrapping.jwk(), "attributes": self.wrapping.attributes()})

    async def _wrap(self, request: web.Request) -> web.Response:
        value = await self._asked_of_wrapping(request, "wrapKey")
        return self._answer(self.wrapping.private.public_key().encrypt(value, _OAEP))

    async def _unwrap(self, request: web.Request) -> web.Response:
        value = await self._asked_of_wrapping(request, "unwrapKey")
        try:
            return self._answer(self.wrapping.private.decrypt(value, _OAEP))
        except ValueError:
            raise VaultError(400, "BadParameter") from None

    async def _asked_of_wrapping(self, request: web.Request, permission: str) -> bytes:
        self._allow(permission)
        asked = await request.json()
        if request.match_info["version"] != self.wrapping.name or asked["alg"] != "RSA-OAEP-256":
            raise VaultError(400, "BadParameter")
        return base64.urlsafe_b64decode(asked["value"] + "==")

    def _answer(self, value: bytes) -> web.Response:
        return web.json_response({"kid": self.wrapping.kid, "value": _base64url(value)})


@asynccontextmanager
async def running_vault(clock: Clock) -> AsyncIterator[Vault]:
    """A vault without any key as yet."""
    vault = Vault(clock)
    await vault.start()
    try:
        yield vault
    finally:
        await vault.stop()


class _Loopback(AbstractResolver):
    """Resolves the vault's name to its port, and nothing else."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert host == self._vault.host, f"nobody but the vault is asked, and not {host}:{port}"
        return [ResolveResult(hostname=host, host="127.0.0.1", port=self._vault.port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """There is nothing to close."""


def _unix(at: datetime) -> int:
    return int(at.timestamp())


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
