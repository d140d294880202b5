"""The realm: one organization with its domain, the Entra of its tenant as identity provider, and two clients.

It is what Keycloak imports from a file, so it differs from the defaults of a new realm only where it says so:
https://www.keycloak.org/docs/latest/server_admin/#_managing_organizations
"""

from typing import Any, Final

from bench.peers.peer import Surroundings
from bench.people import CONTOSO, DOMAIN
from local.cast.stack import CLIENT_ID, CLIENT_SECRET, EntraAddresses

REALM: Final = "bench"
APPLICATION: Final = "unite"
LOOK_UP: Final = "look-up"
LOOK_UP_SECRET: Final = "the-secret-of-look-up"
CALLBACK_PATH: Final = f"/realms/{REALM}/broker/entra/endpoint"
"""Where the identity provider sends people back to."""

_A_DAY: Final = 86_400


def realm(entra: EntraAddresses, surroundings: Surroundings) -> dict[str, Any]:
    """The realm for the application of the bench, and for a caller who may only look organizations up."""
    return {
        "realm": REALM,
        "enabled": True,
        "organizationsEnabled": True,
        "accessTokenLifespan": _A_DAY,  # one token of the caller is enough for the whole run
        "identityProviders": [_identity_provider(entra)],
        "organizations": [
            {
                "name": "Contoso",
                "alias": "contoso",
                "enabled": True,
                "domains": [{"name": DOMAIN, "verified": True}],
                "identityProviders": [{"alias": "entra"}],
            }
        ],
        "clients": [
            {
                "clientId": APPLICATION,
                "enabled": True,
                "publicClient": True,
                "redirectUris": [surroundings.redirect_uri],
                "attributes": {"pkce.code.challenge.method": "S256"},
            },
            {
                "clientId": LOOK_UP,
                "enabled": True,
                "secret": LOOK_UP_SECRET,
                "serviceAccountsEnabled": True,
                "standardFlowEnabled": False,
            },
        ],
        "users": [
            {
                "username": f"service-account-{LOOK_UP}",
                "enabled": True,
                "serviceAccountClientId": LOOK_UP,
                "clientRoles": {"realm-management": ["view-organizations"]},
            }
        ],
    }


def _identity_provider(entra: EntraAddresses) -> dict[str, Any]:
    """Entra, as Keycloak checks it: signature, issuer, audience, nonce and PKCE. Its email address is trusted.

    Whose address is of the organization's domain is sent to it without a page, and a user is made at the first sign-in.
    """
    tenant = f"{entra.https}/{CONTOSO}"
    return {
        "alias": "entra",
        "providerId": "oidc",
        "enabled": True,
        "trustEmail": True,
        "config": {
            "issuer": f"{tenant}/v2.0",
            "authorizationUrl": f"{entra.http}/{CONTOSO}/oauth2/v2.0/authorize",
            "tokenUrl": f"{tenant}/oauth2/v2.0/token",
            "jwksUrl": f"{tenant}/discovery/v2.0/keys",
            "useJwksUrl": "true",
            "validateSignature": "true",
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            "clientAuthMethod": "client_secret_post",
            "defaultScope": "openid profile email",
            "pkceEnabled": "true",
            "pkceMethod": "S256",
            "loginHint": "true",
            "disableUserInfo": "true",  # the ID token has everything, and Entra's userinfo is on Graph
            "kc.org.domain": DOMAIN,
            "kc.org.broker.redirect.mode.email-matches": "true",
        },
    }
