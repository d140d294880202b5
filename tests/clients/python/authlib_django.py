"""Authlib in Django: https://docs.authlib.org/en/latest/client/django.html."""

import os

from authlib.integrations.django_client import OAuth
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django_site import configure, serve

# region sign-in
configure(
    AUTHLIB_OAUTH_CLIENTS={
        "sso": {
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "server_metadata_url": os.environ["ISSUER"] + "/.well-known/openid-configuration",
            "client_kwargs": {"scope": "openid email profile"},
        }
    }
)
oauth = OAuth()
oauth.register(name="sso")


def login(request: HttpRequest) -> HttpResponse:
    return oauth.sso.authorize_redirect(request, os.environ["REDIRECT_URI"])


def authorize(request: HttpRequest) -> HttpResponse:
    token = oauth.sso.authorize_access_token(request)
    return HttpResponse(f"Signed in as {token['userinfo']['email']}")


# endregion
urlpatterns = [path("", login), path("callback", authorize)]
serve()
