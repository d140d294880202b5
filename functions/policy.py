"""The policy of an account."""

from azure.functions import HttpRequest, HttpResponse
from pydantic import ConfigDict

from functions.edge.answers import document
from functions.edge.callers import Callers
from functions.edge.models import Document, Moment
from functions.edge.requests import JSON, MERGE_PATCH, if_match, merge_patch, replacement
from functions.edge.routing import Routes
from shared.assembly import Services
from shared.policies.policy import Mode, Policy, PolicySettings, WhenConnectionFails
from shared.ports.record import Stored

_POLICY = "/v1/accounts/{accountId}/policy"


class PolicyBody(PolicySettings):
    """What is asked: the settings, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class PolicyDocument(Document):
    """The policy, and who set it when."""

    mode: Mode
    applications_off: tuple[str, ...]
    when_connection_fails: WhenConnectionFails
    updated_at: Moment | None
    updated_by: str | None


def policy_routes(services: Services) -> Routes:
    """The calls on an account's policy."""
    routes = Routes("policy", services.edge.telemetry)
    callers = Callers(services.edge.access_tokens)

    @routes.add("GET", _POLICY, gives={200: PolicyDocument})
    async def get_policy(req: HttpRequest) -> HttpResponse:
        """Read the policy."""
        administrator = await callers.administrator(req)
        return _told(await services.policies.read(administrator.account_id))

    @routes.add("PUT", _POLICY, takes={JSON: PolicyBody}, gives={200: PolicyDocument}, if_match="required")
    async def put_policy(req: HttpRequest) -> HttpResponse:
        """Replace the policy."""
        administrator = await callers.administrator(req)
        change = replacement(req, PolicyBody)
        return _told(await services.policies.change(administrator, if_match(req), change))

    @routes.add(
        "PATCH",
        _POLICY,
        takes={MERGE_PATCH: PolicyBody, JSON: PolicyBody},
        gives={200: PolicyDocument},
        if_match="required",
    )
    async def patch_policy(req: HttpRequest) -> HttpResponse:
        """Change a part of the policy."""
        administrator = await callers.administrator(req)
        change = merge_patch(req, PolicyBody)
        return _told(await services.policies.change(administrator, if_match(req), change))

    @routes.add("DELETE", _POLICY, gives={200: PolicyDocument}, if_match="required")
    async def reset_policy(req: HttpRequest) -> HttpResponse:
        """Reset the policy to the default, off."""
        administrator = await callers.administrator(req)
        return _told(await services.policies.change(administrator, if_match(req), lambda _: PolicySettings()))

    return routes


def _told(stored: Stored[Policy]) -> HttpResponse:
    policy, settings = stored.record, stored.record.settings
    told = PolicyDocument(
        mode=settings.mode,
        applications_off=settings.applications_off,
        when_connection_fails=settings.when_connection_fails,
        updated_at=policy.updated_at,
        updated_by=policy.updated_by,
    )
    return document(told, version=stored.version)
