"""django-pyoidc: https://django-pyoidc.readthedocs.io/latest/tutorial.html."""

import os

from django.urls import include, path
from django_site import configure, home, serve

# region sign-in
configure(
    "django_pyoidc",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    DJANGO_PYOIDC={
        "sso": {
            "provider_class": "django_pyoidc.providers.provider.Provider",
            "client_id": os.environ["CLIENT_ID"],
            "client_secret": os.environ["CLIENT_SECRET"],
            "provider_discovery_uri": os.environ["ISSUER"],
            "scopes": ["openid", "email", "profile"],
            "oidc_callback_path": "/auth/sso-callback",
            "post_login_uri_success": "/home",
        }
    },
)
from django_pyoidc.helper import OIDCHelper  # noqa: E402 - once Django is set up

helper = OIDCHelper(op_name="sso")
urlpatterns = [
    path("auth/", include((helper.get_urlpatterns(), "django_pyoidc"), namespace="auth")),
    path("home", home),
]
# endregion
serve()
