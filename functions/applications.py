"""Applications: the vendor's operators register its apps here."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue, field_validator

from functions.http.endpoint import Routes
from functions.http.models import Document, Moment
from functions.http.parameters import Body, IfMatch, OptionalBody, OptionalIfMatch, Path
from functions.http.responses import Created, NoContent, Ok, Put, put
from shared.access.roles import Operator
from shared.applications.application import Application, ApplicationProfile, AssertionAudience, AuthMethod, CodeBinding
from shared.applications.client_keys import check_public_key, keys_of
from shared.applications.register import DEFAULT_OVERLAP
from shared.kernel.addresses import is_native
from shared.kernel.documents import Asked
from shared.kernel.names import ClientId
from shared.services import Services

_APPLICATION = "/v1/applications/{clientId}"


class ApplicationBody(ApplicationProfile):
    """The request body: the profile, and nothing else. Keys are checked here, so that stored ones stay readable."""

    model_config = ConfigDict(extra="forbid")

    @field_validator("jwks")
    @classmethod
    def _usable_keys(cls, jwks: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        keys = keys_of(jwks)
        if jwks is not None and not keys:
            raise ValueError("It must contain at least one key.")
        for key in keys:
            check_public_key(key)
        return jwks


class OriginsWarning(Document):
    """The origins whose scripts cannot call userinfo unless the deployment allows them, and the command that does."""

    code: Literal["origins_to_allow"] = "origins_to_allow"
    detail: str
    origins: tuple[str, ...]
    command: str


class ApplicationDocument(Document):
    """An application. `warnings` say what has to be done elsewhere before all of it works."""

    client_id: ClientId
    name: str
    redirect_uris: tuple[str, ...]
    sso_supported: bool
    requires_product: str | None
    password_sign_in_uri: str | None
    token_endpoint_auth_method: AuthMethod
    jwks: dict[str, JsonValue] | None
    assertion_audience: AssertionAudience | None
    code_binding: CodeBinding
    refresh_tokens: bool
    require_pushed_authorization_requests: bool
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    initiate_login_uri: str | None
    has_secret: bool
    created_at: Moment
    updated_at: Moment
    warnings: tuple[OriginsWarning, ...]


class SecretBody(Asked):
    """For how long the previous secret stays valid, in hours; 0 ends all previous ones at once, as after a leak."""

    overlap_hours: Annotated[int, Field(ge=0, le=168)] = int(DEFAULT_OVERLAP / timedelta(hours=1))

    @property
    def overlap(self) -> timedelta:
        """Return it as a duration."""
        return timedelta(hours=self.overlap_hours)


class SecretDocument(Document):
    """A client secret. It is not shown again: only its hash is stored."""

    client_secret: str


class ApplicationsDocument(Document):
    """All applications."""

    items: tuple[ApplicationDocument, ...]


def application_routes(services: Services) -> Routes:
    """The endpoints for applications."""
    routes = Routes("applications", services.edge)

    @routes.put(_APPLICATION)
    async def put_application(
        operator: Operator, profile: Body[ApplicationBody], client_id: Path[ClientId], expected: OptionalIfMatch
    ) -> Put[ApplicationDocument]:
        """Register an application, or update it."""
        stored, created = await services.applications.put(operator, client_id, profile, expected)
        return put(_document(stored.record), stored.version, created=created)

    @routes.get(_APPLICATION)
    async def get_application(operator: Operator, client_id: Path[ClientId]) -> Ok[ApplicationDocument]:
        """Read an application."""
        stored = await services.applications.read(operator, client_id)
        return Ok(_document(stored.record), version=stored.version)

    @routes.get("/v1/applications")
    async def list_applications(operator: Operator) -> Ok[ApplicationsDocument]:
        """List all applications."""
        applications = await services.applications.all(operator)
        return Ok(ApplicationsDocument(items=tuple(map(_document, applications))))

    @routes.delete(_APPLICATION)
    async def delete_application(operator: Operator, client_id: Path[ClientId], expected: IfMatch) -> NoContent:
        """Remove an application."""
        await services.applications.remove(operator, client_id, expected)
        return NoContent()

    @routes.post(_APPLICATION + "/secret")
    async def renew_application_secret(
        operator: Operator, client_id: Path[ClientId], asked: OptionalBody[SecretBody], expected: IfMatch
    ) -> Created[SecretDocument]:
        """Give an application a new client secret, which is shown only once. The one before stays valid for a time."""
        secret = await services.applications.renew_secret(operator, client_id, expected, asked.overlap)
        return Created(SecretDocument(client_secret=secret))

    return routes


def _document(application: Application) -> ApplicationDocument:
    profile = application.profile
    return ApplicationDocument(
        client_id=application.client_id,
        has_secret=application.secret is not None,
        created_at=application.created_at,
        updated_at=application.updated_at,
        warnings=_warnings(profile),
        **profile.model_dump()
        | {"code_binding": profile.binding, "assertion_audience": profile.audience if profile.jwks else None},
    )


def _warnings(profile: ApplicationProfile) -> tuple[OriginsWarning, ...]:
    """The platform answers preflights from a list that the app does not see: this is said whether it is done or not."""
    origins = tuple(origin for origin in profile.origins if not is_native(origin))
    if not origins:
        return ()
    warning = OriginsWarning(
        detail="If its pages call userinfo (oidc-client-ts: loadUserInfo), the deployment must allow their origins: "
        "run the command, and add them to the parameter allowedOrigins, which the next deployment sets.",
        origins=origins,
        command=f"az functionapp cors add --resource-group $RG --name $APP --allowed-origins {' '.join(origins)}",
    )
    return (warning,)
