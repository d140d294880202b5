"""The policy of an account."""

from pydantic import ConfigDict

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import IfMatch, MergePatch, Replacement
from functions.http.responses import Ok
from shared.access.roles import AccountAdministrator, AccountReader
from shared.policies.policy import Mode, Policy, PolicySettings, WhenConnectionFails
from shared.ports.record import Stored
from shared.services import Services

_POLICY = "/v1/accounts/{accountId}/policy"


class PolicyBody(PolicySettings):
    """The request body: the settings, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class PolicyDocument(Document):
    """The policy, and who set it and when."""

    mode: Mode
    applications_off: tuple[str, ...]
    when_connection_fails: WhenConnectionFails
    session_hours: int | None
    updated_at: Moment | None
    updated_by: str | None


def policy_routes(services: Services) -> Routes:
    """The endpoints for an account's policy."""
    routes = Routes("policy", services.edge)

    @routes.get(_POLICY)
    async def get_policy(reader: AccountReader) -> Ok[PolicyDocument]:
        """Read the policy."""
        return _versioned(await services.policies.read(reader))

    @routes.put(_POLICY)
    async def put_policy(
        administrator: AccountAdministrator, change: Replacement[PolicyBody], expected: IfMatch
    ) -> Ok[PolicyDocument]:
        """Replace the policy."""
        return _versioned(await services.policies.change(administrator, expected, change))

    @routes.patch(_POLICY)
    async def patch_policy(
        administrator: AccountAdministrator, change: MergePatch[PolicyBody], expected: IfMatch
    ) -> Ok[PolicyDocument]:
        """Change a part of the policy."""
        return _versioned(await services.policies.change(administrator, expected, change))

    @routes.delete(_POLICY)
    async def reset_policy(administrator: AccountAdministrator, expected: IfMatch) -> Ok[PolicyDocument]:
        """Reset the policy to the default, which is off."""
        return _versioned(await services.policies.change(administrator, expected, lambda _: PolicySettings()))

    return routes


def _versioned(stored: Stored[Policy]) -> Ok[PolicyDocument]:
    policy, settings = stored.record, stored.record.settings
    document = PolicyDocument(
        mode=settings.mode,
        applications_off=settings.applications_off,
        when_connection_fails=settings.when_connection_fails,
        session_hours=settings.session_hours,
        updated_at=policy.updated_at,
        updated_by=policy.updated_by,
    )
    return Ok(document, version=stored.version)
