"""The hostile modes as one document, all off by default.

It only names them; each endpoint reads the field that concerns it. `PUT /_local/hostile` replaces the document,
`DELETE` switches everything off.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from local.entra.forgery import Forgery


class AuthorizeError(BaseModel):
    """What the authorize endpoint answers in place of a code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    error: str = "access_denied"
    aadsts: int = 53003
    sentence: str = "Access has been blocked by Conditional Access policies."
    stranded: bool = False
    """Leave the person on Entra's page, as 50105 and 700016 do, in place of a redirect."""


class LateConsent(BaseModel):
    """A consent that a part of Entra learns of some seconds after it was given; until then it answers like this."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float
    where: Literal["graph", "app_token", "code", "authorize"] = "graph"
    """Graph, the token endpoint for an app-only token or for a code, or the authorize endpoint."""
    status: int | None = None
    """Of Graph (403 without it), or of a token endpoint that is out of order."""
    aadsts: Literal[65001, 700016] = 700016
    """Of the token and authorize endpoints, without a status."""


class Hostile(BaseModel):
    """What goes wrong on purpose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    consent_tenant: str | None = None
    """Another `tenant` in the consent answer."""
    consent_state: str | None = None
    """Another `state` in the consent answer."""
    consent_state_suffix: str = ""
    """Text appended to `state` in the consent answer, as a browser extension has been seen to do."""
    consent_error: str | None = None
    """Accepting is answered with this `error`, and `admin_consent=True` beside it."""
    consent_anyone: bool = False
    """No role is asked of the person who consents."""
    consent_late: LateConsent | None = None
    consent_without: frozenset[str] = frozenset()
    """Permissions that are left out of what Accept grants."""
    personal_accounts: bool = False
    """Personal Microsoft accounts are let through."""
    authorize_error: AuthorizeError | None = None
    authorize_state_suffix: str = ""
    answer_twice: bool = False
    """A page fetches each answer to a redirect URI before the browser goes there, as scanners and prefetchers do."""
    ignore_prompt_login: bool = False
    """A signed-in person continues without being asked, as if `prompt` had been removed from the URL."""
    id_token: dict[str, Any] = Field(default_factory=dict)
    """Claims to set; null removes one."""
    auth_time_offset: int = 0
    """Seconds by which `auth_time` is off: negative, and the sign-in looks older than it is."""
    id_token_signature: Forgery | None = None
    clock_offset: float = 0.0
    """Seconds that Entra's clock is ahead (or, negative, behind)."""
    token_status: int | None = None
    token_delay: float = 0.0
    discovery_status: int | None = None
    """For discovery and JWKS."""
    discovery_delay: float = 0.0
    graph_status: int | None = None
    graph_delay: float = 0.0
    graph_tenant: str | None = None
    """Another `id` in Graph's organization."""
