"""The command line of the control panel: serves it on the loopback until a signal ends it."""

import argparse

import uvicorn

from local.control_panel.app import ControlPanel


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.control_panel", description="A vendor's control panel.")
    parser.add_argument("--port", type=int, default=7070, help="where it answers")
    parser.add_argument("--service", default="http://localhost:7071", help="public URL of the service")
    parser.add_argument("--issuer", default="http://localhost:7080/control-panel", help="who issues its tokens")
    options = parser.parse_args()
    application = ControlPanel(options.service, options.issuer)
    uvicorn.run(application.asgi(), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
