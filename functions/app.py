"""The one FunctionApp that the Python worker indexes, and every resource that it has.

Functions are registered from the index (`functions.http.index`); a resource is imported when one of its functions is
first called (`functions.http.resource`).
"""

import sys
from functools import partial
from typing import TYPE_CHECKING

from azure.functions import AuthLevel, FunctionApp

from functions.http.host_only import CONVERSION, keep_host_only
from functions.http.index import read_index, register
from functions.http.resource import Resource
from functions.http.set_cookie import removal
from functions.timers import timers_blueprint
from shared.services import Services
from shared.settings import Misconfiguration

if TYPE_CHECKING:
    from functions.http.endpoint import Endpoint, Routes


def build_app(services: Services | Misconfiguration) -> FunctionApp:
    """The app with every endpoint; if the settings are invalid, an app that reports what is wrong."""
    app = FunctionApp(http_auth_level=AuthLevel.FUNCTION)
    if isinstance(services, Misconfiguration):
        from functions.misconfigured import misconfigured_blueprint

        app.register_functions(misconfigured_blueprint(services))
        return app
    resources = {each.name: each for each in build_resources(services)}
    for indexed in read_index():
        register(app, indexed, resources[indexed.resource].answer(indexed))
    app.register_functions(timers_blueprint(services))
    return app


def build_routes(services: Services) -> tuple["Routes", ...]:
    """The routes of every resource, all of which are imported."""
    return tuple(each.routes for each in build_resources(services))


def build_resources(services: Services) -> tuple[Resource, ...]:
    """Every resource, in the order in which the OpenAPI document lists them. None is imported."""
    probe = removal(f"{services.edge.cookie_prefix}azure-sso-probe")
    cookies_work = keep_host_only(probe, sys.modules.get(CONVERSION))
    resource = partial(Resource, telemetry=services.edge.telemetry, services=services)

    def endpoints() -> list["Endpoint"]:
        return [endpoint for each in resources for endpoint in each.routes.endpoints]

    resources = (
        resource("functions.accounts:account_routes"),
        resource("functions.overview:overview_routes"),
        resource("functions.connection:connection_routes"),
        resource("functions.connect:connect_routes"),
        resource("functions.domains:domain_routes"),
        resource("functions.policy:policy_routes"),
        resource("functions.exceptions:exception_routes"),
        resource("functions.audit:audit_routes"),
        resource("functions.links:link_routes"),
        resource("functions.people:people_routes"),
        resource("functions.applications:application_routes"),
        resource("functions.resolve:resolve_routes"),
        resource("functions.signin:signin_routes"),
        resource("functions.signout:signout_routes"),
        resource("functions.oauth:oauth_routes"),
        resource("functions.health:health_routes", cookies_work=cookies_work),
        resource("functions.openapi:openapi_routes", endpoints=endpoints),
        resource("functions.panel:panel_routes"),
        resource("functions.portal:portal_routes"),
        resource("functions.portal_pages:portal_page_routes"),
    )
    return resources
