"""django-allauth: https://docs.allauth.org/en/latest/socialaccount/providers/openid_connect.html."""

import os

from django.urls import include, path
from django_site import configure, home, serve

# region sign-in
configure(
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    middleware=("django.contrib.messages.middleware.MessageMiddleware", "allauth.account.middleware.AccountMiddleware"),
    SOCIALACCOUNT_PROVIDERS={
        "openid_connect": {
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": "SSO",
                    "client_id": os.environ["CLIENT_ID"],
                    "secret": os.environ["CLIENT_SECRET"],
                    "settings": {
                        "server_url": os.environ["ISSUER"],
                        "oauth_pkce_enabled": "WITH_SETTING" in os.environ,
                    },
                }
            ]
        }
    },
    ACCOUNT_EMAIL_VERIFICATION="none",
)
urlpatterns = [path("accounts/", include("allauth.urls")), path("home", home)]
# endregion
serve()
