"""The control panel's component: scripts, built by `make panel`, which vendors' pages load from the service.

It is public, so any origin may read it: that the API answers a page is the platform's CORS to decide, and the component
says in words if it does not.
"""

from pathlib import Path as File

from functions.http.endpoint import Routes
from functions.http.parameters import Path, Request
from functions.http.roles import Anybody
from functions.http.scripts import DIST, PanelFile, Script, Scripts, Unchanged
from shared.services import Services


def panel_routes(services: Services, folder: File = DIST) -> Routes:
    """The endpoint for the scripts."""
    routes = Routes("panel", services.edge)
    panel = Scripts(folder)

    @routes.get("/panel/{file}")
    async def get_panel(_: Anybody, file: Path[PanelFile], request: Request) -> Script | Unchanged:
        """Load the control panel's component, a script."""
        return panel.response(file, request)

    return routes
