"""What the host reads: `host.json` and `local.settings.json`, the two files that Core Tools reads too.

`Values` of local.settings.json become environment variables for the app; its `Host` section and the few
settings of host.json that matter on one machine become `HostSettings`. Secrets live in local.settings.json
only, never in Git.
"""

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Self

MAX_BODY_BYTES = 104_857_600
"""Azure refuses longer request bodies:
https://learn.microsoft.com/en-us/azure/azure-functions/functions-bindings-http-webhook-trigger#limits"""


class SettingsError(Exception):
    """A settings file is missing or malformed; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What the host needs to know besides the app itself.

    `route_prefix` is Azure's default unless host.json says otherwise. `function_key` opens functions of
    `authLevel` FUNCTION, `master_key` those and the admin endpoint; without a key its door stays shut.
    `fills_cookie_domains` plays Azure's front end, see `local.host.cookies`. `values` are the app's settings, in the
    order of the file. `hsts` is the value of Strict-Transport-Security, None where host.json does not switch it on.
    """

    route_prefix: str = "api"
    function_key: str | None = None
    master_key: str | None = None
    cors_origins: tuple[str, ...] = ()
    cors_credentials: bool = False
    fills_cookie_domains: bool = True
    hsts: str | None = None
    values: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, directory: Path, settings_file: Path | None) -> Self:
        """Read host.json of `directory` and, unless it is None, `settings_file`. Raises SettingsError."""
        host = _read_json(directory / "host.json")
        local = _read_json(settings_file) if settings_file else {}
        http = _section(_section(host, "extensions"), "http")
        section = _section(local, "Host")
        return cls(
            route_prefix=str(http.get("routePrefix", "api")).strip("/"),
            function_key=_text(section.get("FunctionKey")),
            master_key=_text(section.get("MasterKey")),
            cors_origins=tuple(o.strip() for o in str(section.get("CORS", "")).split(",") if o.strip()),
            cors_credentials=section.get("CORSCredentials") is True,
            fills_cookie_domains=section.get("FillCookieDomains") is not False,
            hsts=_hsts(_section(http, "hsts")),
            values={name: str(value) for name, value in _section(local, "Values").items()},
        )

    def apply_to(self, environment: MutableMapping[str, str]) -> None:
        """Set each value that `environment` lacks: as in Core Tools, what is set already wins."""
        for name, value in self.values.items():
            environment.setdefault(name, value)


def _read_json(path: Path) -> Mapping[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing.") from None
    except ValueError as fault:
        raise SettingsError(f"{path} is not valid JSON: {fault}.") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path} must hold a JSON object.")
    return document


def _section(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    section = document.get(name, {})
    if not isinstance(section, dict):
        raise SettingsError(f"{name} must be a JSON object.")
    return section


_TIME_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?")
"""`days.hours:minutes:seconds`, as .NET reads a TimeSpan."""


def _hsts(section: Mapping[str, object]) -> str | None:
    """Return the header that ASP.NET's HSTS middleware makes of `extensions.http.hsts`; a bare number counts days.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook#hostjson-settings
    """
    if section.get("isEnabled") is not True:
        return None
    text = str(section.get("maxAge", "30"))
    span = _TIME_SPAN.fullmatch(text)
    if span:
        days, hours, minutes, seconds = (int(part or 0) for part in span.groups())
    elif text.isdecimal():
        days, hours, minutes, seconds = int(text), 0, 0, 0
    else:
        raise SettingsError(f"extensions.http.hsts.maxAge is not a TimeSpan: {text!r}.")
    age = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    flags = {"includeSubDomains": "; includeSubDomains", "preload": "; preload"}
    more = "".join(text for name, text in flags.items() if section.get(name) is True)
    return f"max-age={int(age.total_seconds())}{more}"


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
