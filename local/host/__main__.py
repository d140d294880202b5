"""`python -m local.host`: serve an app on loopback until Ctrl-C or SIGTERM."""

import argparse
import logging
import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from socket import socket
from typing import NoReturn

import uvicorn

from local.host.indexing import IndexingError
from local.host.server import Host, create_host
from local.host.settings import HostSettings, SettingsError


def main() -> NoReturn:
    """Serve; exit code 1 with one clear sentence when the app cannot be indexed or the port is taken."""
    arguments = _arguments()
    logging.basicConfig(
        level=arguments.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    # At INFO the SDKs write every request URL, with what its query holds.
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    directory = Path(arguments.directory).resolve()
    # `python -m` puts the current folder first, and its modules must not stand before those of the app.
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path.cwd()]
    try:
        settings = HostSettings.read(directory, Path(arguments.settings) if arguments.settings else None)
        settings = replace(settings, cors_origins=(*settings.cors_origins, *arguments.cors))
        settings.apply_to(os.environ)
        application = create_host(directory, settings)
    except SettingsError as fault:
        sys.exit(str(fault))
    except IndexingError as fault:
        traceback.print_exception(fault.__cause__ or fault)
        sys.exit(f'{fault}\nIn Azure this app would show "0 functions found"; the traceback above says why.')
    if arguments.port and _is_taken(arguments.host, arguments.port):
        sys.exit(f"Port {arguments.port} is taken: stop what listens there, or choose another with --port.")
    server = _Server(
        uvicorn.Config(application, host=arguments.host, port=arguments.port, log_config=None, access_log=False),
        application.state.host,
    )
    server.run()
    sys.stdout.flush()
    # Azure ends a worker without asking the app to tidy up, and so do we: there is no hook in which it could.
    os._exit(0 if server.started else 1)


def _is_taken(host: str, port: int) -> bool:
    with socket() as caller:
        return caller.connect_ex((host, port)) == 0


class _Server(uvicorn.Server):
    """uvicorn, which says what it serves once it listens."""

    def __init__(self, config: uvicorn.Config, host: Host) -> None:
        super().__init__(config)
        self._host = host

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            port = self.servers[0].sockets[0].getsockname()[1]
            print(_listing(self._host, f"http://{self.config.host}:{port}"), flush=True)


def _listing(host: Host, base_url: str) -> str:
    width = max((len(f.name) for f in host.functions.values()), default=0)
    routes = [
        f"  {r.function:<{width}}  {','.join(sorted(r.methods)) or '*':<12} /{r.template}" for r in host.routes.routes
    ]
    timers = [f"  {name:<{width}}  timer        {schedule.expression}" for name, schedule in host.timers.items()]
    return "\n".join([f"{len(host.functions)} functions at {base_url}", *routes, *timers])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="A local Azure Functions host.")
    parser.add_argument("--directory", default=".", help="holds function_app.py and host.json (default: here)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, default=7071, help="0 means any free one (default: 7071)")
    parser.add_argument("--settings", help="a local.settings.json (default: none)")
    parser.add_argument("--cors", action="append", default=[], metavar="ORIGIN", help="an origin to allow, too")
    parser.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
