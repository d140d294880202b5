"""azure-core's pipeline with what the tables need: retries, the date, and a proof of identity.

There is no policy for redirects, so that no credential follows one; none for telemetry or logging, so that no key gets
into either; and the environment names no proxy.
"""

import asyncio
import base64
import hashlib
import hmac
from email.utils import formatdate
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy, AsyncHTTPPolicy

from shared.adapters.tables.account import Account
from shared.adapters.tables.requests import Answer, Request
from shared.adapters.tables.transport import Received, Sent, Transport
from shared.kernel.refusals import Unavailable

_COMMON: Final = {
    "Accept": "application/json;odata=minimalmetadata",
    "Accept-Encoding": "identity",
    "DataServiceVersion": "3.0",
    "x-ms-version": "2019-02-02",
}
"""https://learn.microsoft.com/rest/api/storageservices/setting-the-odata-data-service-version-headers"""

_BUSY: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a store that may answer the next request: throttling and failover among them.

https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes
"""

_WAITS: Final = (0.05, 0.2)
"""Seconds before the second and the third attempt."""

_LONGEST_WAIT: Final = 2.0
"""Seconds that `Retry-After` may ask for. Whoever asks for more is unavailable now, as far as our callers go."""

type _Asked = PipelineRequest[Sent]
type _Answered = PipelineResponse[Sent, Received]


class Pipeline:
    """Asks one account. It belongs to the event loop that it was made in.

    Args:
        account: the one to ask.
        ca_file: trusted beside the machine's own authorities.
    """

    def __init__(self, account: Account, ca_file: str | None) -> None:
        self._endpoint = account.endpoint
        self._transport = Transport(ca_file)
        policies = [Patience(), _Dated(), _proof(account)]
        self._pipeline = AsyncPipeline[Sent, Received](self._transport, policies)

    async def ask(self, request: Request) -> Answer:
        """The answer to a request, whatever it is.

        Raises:
            Unavailable: there is none, time-outs and refused connections included.
        """
        asked = Sent(
            method=request.method,
            url=f"{self._endpoint}{request.path}{request.query}",
            headers={**_COMMON, **request.headers},
            body=request.body,
        )
        try:
            answered = await self._pipeline.run(asked, may_be_repeated=request.may_be_repeated)
        except (AzureError, TimeoutError) as error:
            raise Unavailable("The storage cannot be reached. Try again in a few seconds.") from error
        response = answered.http_response
        return Answer(status=response.status_code, headers=response.headers, body=response.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()


class Patience(AsyncHTTPPolicy[Sent, Received]):
    """Asks again, at most twice and within seconds.

    A request is repeated if the store says that it is busy, and if its connection breaks or does not come about: most
    of those have never been read. If the store falls silent, only what is safe to repeat is: reads, and writes that put
    a row in its place whatever was there. Every other writer gets `Unavailable` then, sooner and without a refusal for
    which their own change may be the reason. That they may get such a refusal elsewhere the port says, and callers
    recognize their own receipts.
    """

    async def send(self, request: _Asked) -> _Answered:
        """See `azure.core.pipeline.policies.AsyncHTTPPolicy`."""
        may_be_repeated = request.context.options.pop("may_be_repeated")
        for wait in _WAITS:
            try:
                answered: _Answered = await self.next.send(request)
            except ServiceRequestError:
                await asyncio.sleep(wait)
            except ClientAuthenticationError:
                raise
            except AzureError:
                if not may_be_repeated:
                    raise
                await asyncio.sleep(wait)
            else:
                response = answered.http_response
                asked_for = _seconds(response.headers.get("Retry-After"))
                if response.status_code not in _BUSY or asked_for > _LONGEST_WAIT:
                    return answered
                await asyncio.sleep(max(wait, asked_for))
        return await self.next.send(request)


def _seconds(retry_after: str | None) -> float:
    """The seconds that a store asks for (RFC 9110, section 10.2.3); a date asks for too many."""
    if retry_after is None:
        return 0.0
    return float(retry_after) if retry_after.isdecimal() else float("inf")


class _Dated(AsyncHTTPPolicy[Sent, Received]):
    """Dates each attempt, as every request must be."""

    async def send(self, request: _Asked) -> _Answered:
        """See `azure.core.pipeline.policies.AsyncHTTPPolicy`."""
        request.http_request.headers["x-ms-date"] = formatdate(usegmt=True)
        return await self.next.send(request)


class _SharedKeyLite(AsyncHTTPPolicy[Sent, Received]):
    """Signs each attempt with the account's key; for development.

    https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key#table-service-shared-key-lite-authorization
    """

    def __init__(self, account: Account) -> None:
        self._origin = account.endpoint.removesuffix(urlsplit(account.endpoint).path)
        self._name = account.name
        self._key = base64.b64decode(account.key)

    async def send(self, request: _Asked) -> _Answered:
        """See `azure.core.pipeline.policies.AsyncHTTPPolicy`."""
        sent = request.http_request
        path = sent.url.removeprefix(self._origin).partition("?")[0]  # percent-encoded, as it is sent
        text = f"{sent.headers['x-ms-date']}\n/{self._name}{path}"
        signature = base64.b64encode(hmac.digest(self._key, text.encode(), hashlib.sha256)).decode()
        sent.headers["Authorization"] = f"SharedKeyLite {self._name}:{signature}"
        return await self.next.send(request)


def _proof(account: Account) -> Any:
    """The policy that proves who asks. Access tokens travel by https alone."""
    if account.credential is None:
        return _SharedKeyLite(account)
    return AsyncBearerTokenCredentialPolicy(account.credential, account.scope)
