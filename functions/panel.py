"""The control panel's component: scripts, built by `make panel`, which vendors' pages load from the service.

It is public, so any origin may read it: that the API answers a page is the platform's CORS to decide, and the component
says in words if it does not.
"""

import functools
import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path as File
from typing import Annotated, ClassVar, Self

from azure.functions import HttpRequest, HttpResponse

from functions.http import negotiation
from functions.http.endpoint import Routes
from functions.http.parameters import Path, Request
from functions.http.responses import Described
from functions.http.roles import Anybody
from shared.kernel.names import Name
from shared.kernel.refusals import NotFound
from shared.services import Services

DIST = File(__file__).parent.parent / "panel" / "dist"
"""What `make panel` builds, and `make zip` packs."""

_STABLE = "azure-sso-panel.js"
_FOR_EVER = "public, max-age=31536000, immutable"
_REVALIDATED = "public, no-cache"
_OPEN = {
    "Content-Type": "text/javascript; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}
_GZIP = 31
"""A window of 32 KiB, with the header and the checksum of gzip."""

_TAG = re.compile(r'"([0-9a-f]+(?:-gzip)?)"')


class PanelFile(Name):
    """The component by its stable name, or by one with a hash; or a part of it that it loads later."""

    __slots__ = ()
    pattern = re.compile(r"azure-sso-[a-z]{1,16}(\.[0-9A-Za-z]{8,16})?\.js")
    rule = "The panel is azure-sso-panel.js, or a name with a hash such as azure-sso-panel.0123456789abcdef.js."


class Script(HttpResponse):
    """A script."""

    status: ClassVar = 200
    media: ClassVar = "text/javascript"


type Unchanged = Annotated[HttpResponse, Described(304)]
"""The caller has this version already."""


@dataclass(frozen=True, slots=True)
class PanelScript:
    """A script in both encodings, and its hash."""

    plain: bytes
    zipped: bytes
    digest: str

    @classmethod
    def read(cls, file: File) -> Self:
        """Read a file. The host compresses nothing, so this does, once."""
        plain = file.read_bytes()
        return cls(plain, zlib.compress(plain, 9, _GZIP), hashlib.sha256(plain).hexdigest()[:16])

    def response(self, req: HttpRequest, caching: str) -> Script | HttpResponse:
        """The script in an encoding that the caller reads, or 304 if they have it."""
        zipped = negotiation.accepts_gzip(req.headers.get("accept-encoding", ""))
        tag = f"{self.digest}-gzip" if zipped else self.digest
        headers = {**_OPEN, "ETag": f'"{tag}"', "Cache-Control": caching}
        if tag in _TAG.findall(req.headers.get("if-none-match", "")):
            return HttpResponse(status_code=304, headers=headers)
        encoding = {"Content-Encoding": "gzip"} if zipped else {}
        return Script(self.zipped if zipped else self.plain, headers={**headers, **encoding})


class Panel:
    """The scripts of a folder, each read when it is first asked for.

    Args:
        folder: where `make panel` has put them.
    """

    def __init__(self, folder: File) -> None:
        self._folder = folder
        self._read = functools.cache(PanelScript.read)

    def response(self, name: PanelFile, req: HttpRequest) -> Script | HttpResponse:
        """The script of this name, or 304.

        Raises:
            NotFound: there is none, because its hash is that of another version, or the panel was not built.
        """
        if name == _STABLE:
            return self._script(name).response(req, _REVALIDATED)
        if name.startswith("azure-sso-panel.") and name == f"azure-sso-panel.{self._script(_STABLE).digest}.js":
            return self._script(_STABLE).response(req, _FOR_EVER)
        return self._script(name).response(req, _FOR_EVER)

    def _script(self, name: str) -> PanelScript:
        try:
            return self._read(self._folder / name)
        except FileNotFoundError:
            raise NotFound(
                "This file of the panel is not here: load /panel/azure-sso-panel.js. "
                "If that is not here either, the panel was not built: `make panel` does, and `make zip` packs it."
            ) from None


def panel_routes(services: Services, folder: File = DIST) -> Routes:
    """The endpoint for the scripts."""
    routes = Routes("panel", services.edge)
    panel = Panel(folder)

    @routes.get("/panel/{file}")
    async def get_panel(_: Anybody, file: Path[PanelFile], request: Request) -> Script | Unchanged:
        """Load the control panel's component, a script."""
        return panel.response(file, request)

    return routes
