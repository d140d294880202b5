"""The least of a Django site that the libraries for Django need, with a database in a file of the moment."""

import os
from pathlib import Path
from typing import Any
from wsgiref.simple_server import make_server

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse


def configure(*apps: str, middleware: tuple[str, ...] = (), **more: Any) -> None:
    """Set the site up with these applications and settings on top of Django's own for people and sessions."""
    template = {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
    settings.configure(
        DEBUG=True,
        SECRET_KEY="not a secret, but long enough to sign with",
        ALLOWED_HOSTS=["localhost"],
        ROOT_URLCONF="__main__",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", *apps],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            *middleware,
        ],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": Path(os.environ["SCRATCH"]) / "db.sqlite3"}
        },
        TEMPLATES=[template],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGIN_REDIRECT_URL="/home",
        USE_TZ=True,
        **more,
    )
    django.setup()


def home(request: HttpRequest) -> HttpResponse:
    """Say who is signed in."""
    return HttpResponse(f"Signed in as {getattr(request.user, 'email', 'nobody')}")


def serve() -> None:
    """Make the tables and answer requests."""
    call_command("migrate", verbosity=0)
    make_server("localhost", int(os.environ["PORT"]), get_wsgi_application()).serve_forever()
