"""The OpenID provider's endpoints for applications, server to server: discovery, keys, tokens, userinfo."""

from typing import Literal, Required, TypedDict

from pydantic import JsonValue

from functions.http import cross_origin
from functions.http.dialects.oauth_json import OAuthJson, OAuthResponse, PublicJson, PushedResponse
from functions.http.endpoint import Routes
from functions.http.parameters import Authorization, OAuth, Request, UnverifiedToken, UnverifiedTokenByForm
from functions.http.roles import Anybody
from shared.applications.application import AuthMethod
from shared.kernel.names import ClientId
from shared.provider.assurance import ACR_VALUES
from shared.provider.authorization_request import Prompt, ResponseMode
from shared.provider.issuer import PROFILE_CLAIMS
from shared.provider.scopes import SCOPES
from shared.provider.token import TokenResponse
from shared.services import Services


class TokenParameters(TypedDict, total=False):
    """A token request (RFC 6749, sections 4.1.3 and 6; RFC 7636, section 4.5; RFC 7523, section 2.2)."""

    grant_type: Required[Literal["authorization_code", "refresh_token"]]
    code: str
    redirect_uri: str
    code_verifier: str
    refresh_token: str
    scope: str
    client_id: ClientId
    client_secret: str
    client_assertion: str
    client_assertion_type: Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]


class RevocationParameters(TypedDict, total=False):
    """A revocation request (RFC 7009, section 2.1; RFC 7523, section 2.2)."""

    token: Required[str]
    token_type_hint: str
    client_id: ClientId
    client_secret: str
    client_assertion: str
    client_assertion_type: Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]


class PushParameters(TypedDict, total=False):
    """A request to be pushed (RFC 9126, section 2.1): client authentication, and an authorization request."""

    client_id: ClientId
    client_secret: str
    client_assertion: str
    client_assertion_type: Literal["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    redirect_uri: Required[str]
    response_type: Required[Literal["code"]]
    response_mode: Literal["query", "fragment", "form_post"]
    scope: Required[str]
    code_challenge: str
    code_challenge_method: Literal["S256"]
    state: str
    nonce: str
    prompt: str
    max_age: int
    login_hint: str
    id_token_hint: str
    acr_values: str


_AUTH_METHODS = sorted(AuthMethod, key=lambda method: method is AuthMethod.NONE)
"""`none` last: some clients take the first."""

_ASSERTION_ALGORITHMS = ("RS256", "PS256", "ES256")


def oauth_routes(services: Services) -> Routes:
    """The endpoints for applications' servers and libraries."""
    routes = Routes("oauth", services.edge, OAuthJson())
    metadata = provider_metadata(services.edge.public_url)

    @routes.get("/.well-known/openid-configuration")
    async def get_openid_configuration(_: Anybody) -> PublicJson:
        """Describe this OpenID provider."""
        return PublicJson(metadata)

    @routes.get("/.well-known/oauth-authorization-server")
    async def get_authorization_server_metadata(_: Anybody) -> PublicJson:
        """Describe this authorization server (RFC 8414), by the same document."""
        return PublicJson(metadata)

    @routes.get("/oauth2/jwks")
    async def get_jwks(_: Anybody) -> PublicJson:
        """Publish the keys that verify our tokens."""
        return PublicJson(await services.provider.tokens.jwks())

    @routes.post("/oauth2/token")
    async def redeem_code(
        _: Anybody, req: Request, authorization: Authorization, parameters: OAuth[TokenParameters]
    ) -> OAuthResponse:
        """Exchange a code, or a refresh token, for tokens."""
        client = await services.provider.clients.authenticate(authorization, parameters)
        cross_origin.share_with(client.application.profile.origins, req)
        return _tokens(await services.provider.grant(client, parameters))

    @routes.post("/oauth2/revoke")
    async def revoke_token(
        _: Anybody, req: Request, authorization: Authorization, parameters: OAuth[RevocationParameters]
    ) -> OAuthResponse:
        """End a refresh token, and every token that was or could be renewed from it."""
        client = await services.provider.clients.authenticate(authorization, parameters)
        cross_origin.share_with(client.application.profile.origins, req)
        await services.provider.revocation.revoke(client, parameters)
        return OAuthResponse({})

    @routes.post("/oauth2/par")
    async def push_authorization_request(
        _: Anybody, req: Request, authorization: Authorization, parameters: OAuth[PushParameters]
    ) -> PushedResponse:
        """Keep an authorization request, for the browser to name it."""
        client = await services.provider.clients.authenticate(authorization, parameters)
        cross_origin.share_with(client.application.profile.origins, req)
        pushed = await services.provider.pushed.push(client, parameters)
        return PushedResponse({"request_uri": pushed.request_uri, "expires_in": pushed.expires_in})

    @routes.get("/oauth2/userinfo")
    async def get_userinfo(_: Anybody, unverified_token: UnverifiedToken) -> OAuthResponse:
        """Return the claims about the access token's user."""
        return OAuthResponse(await services.provider.userinfo.claims(unverified_token))

    @routes.post("/oauth2/userinfo")
    async def get_userinfo_by_form(_: Anybody, unverified_token: UnverifiedTokenByForm) -> OAuthResponse:
        """Return the claims about the access token's user, by POST; the token may be in the form."""
        return OAuthResponse(await services.provider.userinfo.claims(unverified_token))

    return routes


def provider_metadata(issuer: str) -> dict[str, JsonValue]:
    """The discovery document (OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "revocation_endpoint": f"{issuer}/oauth2/revoke",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth2/par",
        "require_pushed_authorization_requests": False,
        "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "end_session_endpoint": f"{issuer}/oauth2/logout",
        "scopes_supported": [*SCOPES],
        "response_types_supported": ["code"],
        "response_modes_supported": [*ResponseMode],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [*_AUTH_METHODS],
        "token_endpoint_auth_signing_alg_values_supported": [*_ASSERTION_ALGORITHMS],
        "revocation_endpoint_auth_methods_supported": [*_AUTH_METHODS],
        "revocation_endpoint_auth_signing_alg_values_supported": [*_ASSERTION_ALGORITHMS],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [*Prompt],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr", "session_expiry",
            "email", "email_verified", *PROFILE_CLAIMS, "account_id", "tid", "oid",
        ],
        "acr_values_supported": [*ACR_VALUES],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }  # fmt: skip


def _tokens(granted: TokenResponse) -> OAuthResponse:
    return OAuthResponse(
        {
            "access_token": granted.access_token,
            "token_type": "Bearer",
            "expires_in": granted.expires_in,
            "id_token": granted.id_token,
            "scope": granted.scope,
            **({"refresh_token": granted.refresh_token} if granted.refresh_token else {}),
        }
    )
