"""The composition root: settings, services, app. The Python worker finds `app` here."""

from functions.app import build_app
from shared.settings import read_settings
from shared.wiring import build_services

app = build_app(build_services(read_settings()))
