"""All blueprints, registered in the one FunctionApp that the Python worker indexes."""

import sys

from azure.functions import AuthLevel, FunctionApp

from functions.accounts import account_routes
from functions.applications import application_routes
from functions.audit import audit_routes
from functions.connect import connect_routes
from functions.connection import connection_routes
from functions.domains import domain_routes
from functions.exceptions import exception_routes
from functions.health import health_routes
from functions.http.cookies import BrowserCookies
from functions.http.endpoint import Endpoint, Routes
from functions.http.host_only import CONVERSION, keep_host_only
from functions.links import link_routes
from functions.misconfigured import misconfigured_blueprint
from functions.oauth import oauth_routes
from functions.openapi import openapi_routes
from functions.overview import overview_routes
from functions.panel import panel_routes
from functions.people import people_routes
from functions.policy import policy_routes
from functions.portal import portal_routes
from functions.portal_pages import portal_page_routes
from functions.resolve import resolve_routes
from functions.signin import signin_routes
from functions.signout import signout_routes
from functions.timers import timers_blueprint
from shared.services import Services
from shared.settings import Misconfiguration


def build_app(services: Services | Misconfiguration) -> FunctionApp:
    """The app with every endpoint; if the settings are invalid, an app that reports what is wrong."""
    app = FunctionApp(http_auth_level=AuthLevel.FUNCTION)
    if isinstance(services, Misconfiguration):
        app.register_functions(misconfigured_blueprint(services))
        return app
    for routes in build_routes(services):
        app.register_functions(routes.blueprint)
    app.register_functions(timers_blueprint(services))
    return app


def build_routes(services: Services) -> tuple[Routes, ...]:
    """The routes of every resource, in the order in which the OpenAPI document lists them."""

    def endpoints() -> list[Endpoint]:
        return [endpoint for each in routes for endpoint in each.endpoints]

    cookies_work = keep_host_only(BrowserCookies(services.edge.cookie_prefix).probe, sys.modules.get(CONVERSION))
    routes = (
        account_routes(services),
        overview_routes(services),
        connection_routes(services),
        connect_routes(services),
        domain_routes(services),
        policy_routes(services),
        exception_routes(services),
        audit_routes(services),
        link_routes(services),
        people_routes(services),
        application_routes(services),
        resolve_routes(services.resolution, services.edge),
        signin_routes(services),
        signout_routes(services),
        oauth_routes(services),
        health_routes(services, cookies_work=cookies_work),
        openapi_routes(endpoints, services),
        panel_routes(services),
        portal_routes(services),
        portal_page_routes(services),
    )
    return routes
