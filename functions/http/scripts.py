"""The scripts of the panel: read when they are first asked for, compressed once, and pinned by their hashes."""

import base64
import functools
import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path as File
from typing import Annotated, ClassVar, Self

from azure.functions import HttpRequest, HttpResponse

from functions.http import negotiation
from functions.http.responses import Described
from shared.kernel.names import Name
from shared.kernel.refusals import NotFound

DIST = File(__file__).parents[2] / "panel" / "dist"
"""What `make panel` builds, and `make zip` packs."""

_STABLE = re.compile(r"(azure-sso-(?:panel|portal))(?:\.([0-9a-f]{16}))?\.js")
"""The scripts that pages name, each at an address that stays, and at one with the hash of what it is."""

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

_MISSING = (
    "This file of the panel is not here: load /panel/azure-sso-panel.js. "
    "If that is not here either, the panel was not built: `make panel` does, and `make zip` packs it."
)

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
    """A script in both encodings, its hash, and the one of Subresource Integrity."""

    plain: bytes
    zipped: bytes
    digest: str
    integrity: str

    @classmethod
    def read(cls, file: File) -> Self:
        """Read a file. The host compresses nothing, so this does, once."""
        plain = file.read_bytes()
        integrity = f"sha384-{base64.b64encode(hashlib.sha384(plain).digest()).decode()}"
        return cls(plain, zlib.compress(plain, 9, _GZIP), hashlib.sha256(plain).hexdigest()[:16], integrity)

    def response(self, req: HttpRequest, caching: str) -> Script | HttpResponse:
        """The script in an encoding that the caller reads, or 304 if they have it."""
        zipped = negotiation.accepts_gzip(req.headers.get("accept-encoding", ""))
        tag = f"{self.digest}-gzip" if zipped else self.digest
        headers = {**_OPEN, "ETag": f'"{tag}"', "Cache-Control": caching}
        if tag in _TAG.findall(req.headers.get("if-none-match", "")):
            return HttpResponse(status_code=304, headers=headers)
        encoding = {"Content-Encoding": "gzip"} if zipped else {}
        return Script(self.zipped if zipped else self.plain, headers={**headers, **encoding})


class Scripts:
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
        match _STABLE.fullmatch(name):
            case None:
                return self._script(name).response(req, _FOR_EVER)
            case found:
                script = self._script(f"{found[1]}.js")
                if found[2] not in {None, script.digest}:
                    raise NotFound(_MISSING)
                return script.response(req, _FOR_EVER if found[2] else _REVALIDATED)

    def pinned(self, name: str) -> tuple[str, str]:
        """The file name of a script with its hash, and what a page says of its integrity.

        Raises:
            NotFound: the panel was not built.
        """
        script = self._script(f"{name}.js")
        return f"{name}.{script.digest}.js", script.integrity

    def _script(self, name: str) -> PanelScript:
        try:
            return self._read(self._folder / name)
        except FileNotFoundError:
            raise NotFound(_MISSING) from None
