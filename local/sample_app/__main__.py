"""The command line of the sample: serves it on the loopback until a signal ends it.

The client secret comes in the environment variable SAMPLE_CLIENT_SECRET, where other processes do not see it.
"""

import argparse
import os

import uvicorn

from local.sample_app.app import AnyMeeting


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m local.sample_app", description="A sample application.")
    parser.add_argument("--port", type=int, default=7090, help="where it answers")
    parser.add_argument("--issuer", default="http://localhost:7071", help="public URL of the service")
    options = parser.parse_args()
    application = AnyMeeting(f"http://localhost:{options.port}", options.issuer, os.environ["SAMPLE_CLIENT_SECRET"])
    uvicorn.run(application.asgi(), host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
