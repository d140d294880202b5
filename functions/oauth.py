"""The OpenID provider as applications call it, server to server: discovery, keys, tokens, userinfo."""

from azure.functions import HttpRequest, HttpResponse
from pydantic import JsonValue

from functions.edge.callers import unverified_token
from functions.edge.forms import FORM, parameters_of
from functions.edge.oauth_answers import OAuthJson, oauth_answer, public_answer
from functions.edge.routing import Caller, Routes
from shared.applications.register import AuthMethod
from shared.assembly import Services
from shared.provider.authorization_request import SCOPES, Prompt
from shared.provider.token import TokenResponse


def oauth_routes(services: Services) -> Routes:
    """The calls of applications' servers and libraries."""
    routes = Routes("oauth", services.edge.telemetry, OAuthJson())
    metadata = provider_metadata(services.edge.public_url)

    @routes.add("GET", "/.well-known/openid-configuration", caller=Caller.ANYBODY, gives={200: "application/json"})
    async def get_openid_configuration(_req: HttpRequest) -> HttpResponse:
        """Describe this OpenID provider."""
        return public_answer(metadata)

    @routes.add("GET", "/oauth2/jwks", caller=Caller.ANYBODY, gives={200: "application/json"})
    async def get_jwks(_req: HttpRequest) -> HttpResponse:
        """Publish the keys that verify our tokens."""
        return public_answer(await services.provider.tokens.jwks())

    @routes.add("POST", "/oauth2/token", caller=Caller.ANYBODY, takes={FORM: None}, gives={200: "application/json"})
    async def redeem_code(req: HttpRequest) -> HttpResponse:
        """Trade a code for tokens."""
        parameters = parameters_of(req)
        client = await services.provider.clients.authenticate(req.headers.get("authorization"), parameters)
        return _told(await services.provider.token.redeem(client, parameters))

    @routes.add("GET", "/oauth2/userinfo", caller=Caller.ANYBODY, gives={200: "application/json"})
    async def get_userinfo(req: HttpRequest) -> HttpResponse:
        """Tell who the access token speaks of."""
        return oauth_answer(await services.provider.userinfo.claims(unverified_token(req)))

    @routes.add("POST", "/oauth2/userinfo", caller=Caller.ANYBODY, gives={200: "application/json"})
    async def get_userinfo_by_form(req: HttpRequest) -> HttpResponse:
        """The same by POST."""
        return oauth_answer(await services.provider.userinfo.claims(unverified_token(req)))

    return routes


def provider_metadata(issuer: str) -> dict[str, JsonValue]:
    """The discovery document (OpenID Connect Discovery 1.0, section 3; RFC 9207, section 3)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/authorize",
        "token_endpoint": f"{issuer}/oauth2/token",
        "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
        "jwks_uri": f"{issuer}/oauth2/jwks",
        "end_session_endpoint": f"{issuer}/oauth2/logout",
        "scopes_supported": [*SCOPES],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": [*AuthMethod],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": [*Prompt],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid",
            "email", "email_verified", "name", "account_id", "tid", "oid",
        ],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }  # fmt: skip


def _told(granted: TokenResponse) -> HttpResponse:
    return oauth_answer(
        {
            "access_token": granted.access_token,
            "token_type": "Bearer",
            "expires_in": granted.expires_in,
            "id_token": granted.id_token,
            "scope": granted.scope,
        }
    )
