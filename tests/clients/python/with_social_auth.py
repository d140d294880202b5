"""Python Social Auth in Django: https://python-social-auth.readthedocs.io/en/latest/backends/oidc.html."""

import os

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django_site import configure, home, serve

# region sign-in
configure(
    "social_django",
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=os.environ["ISSUER"],
    SOCIAL_AUTH_OIDC_KEY=os.environ["CLIENT_ID"],
    SOCIAL_AUTH_OIDC_SECRET=os.environ["CLIENT_SECRET"],
)
urlpatterns = [path("", include("social_django.urls", namespace="social")), path("home", home)]
# endregion


def login(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<form method="post" action="/login/oidc/"><button>Sign in</button></form>')


urlpatterns.append(path("", login))
serve()
