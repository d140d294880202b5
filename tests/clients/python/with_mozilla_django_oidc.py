"""mozilla-django-oidc: https://mozilla-django-oidc.readthedocs.io/en/stable/installation.html."""

import os

import requests
from django.urls import include, path
from django_site import configure, home, serve

# region sign-in
metadata = requests.get(os.environ["ISSUER"] + "/.well-known/openid-configuration", timeout=10).json()
configure(
    "mozilla_django_oidc",
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    OIDC_RP_CLIENT_ID=os.environ["CLIENT_ID"],
    OIDC_RP_CLIENT_SECRET=os.environ["CLIENT_SECRET"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_OP_AUTHORIZATION_ENDPOINT=metadata["authorization_endpoint"],
    OIDC_OP_TOKEN_ENDPOINT=metadata["token_endpoint"],
    OIDC_OP_USER_ENDPOINT=metadata["userinfo_endpoint"],
    OIDC_OP_JWKS_ENDPOINT=metadata["jwks_uri"],
)
urlpatterns = [path("oidc/", include("mozilla_django_oidc.urls")), path("home", home)]
# endregion
serve()
