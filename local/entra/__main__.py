"""The command line of local Entra: starts it, prints one line of JSON with its addresses, ends quietly on a signal."""

import argparse
import json
import signal
import sys
from pathlib import Path

from local.entra.server import DIRECTORY_FILE, LocalEntra

ENDING = {signal.SIGINT, signal.SIGTERM}


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m local.entra", description="Stands in for Microsoft Entra and Graph."
    )
    parser.add_argument("--http-port", type=int, default=7080, help="pages for browsers; 0 is any free port")
    parser.add_argument("--https-port", type=int, default=7443, help="back channel and Graph; 0 is any free port")
    parser.add_argument("--service-url", default="http://localhost:7071", help="public URL of the service")
    parser.add_argument("--state-dir", type=Path, default=Path(".local/entra"), help="where ca.pem is written")
    parser.add_argument("--directory", type=Path, default=DIRECTORY_FILE, help="who and what exists")
    parser.add_argument("--control", action="store_true", help="mount the control API at /_local/")
    options = parser.parse_args()

    # Blocked before any thread starts, so that every thread leaves them to sigwait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        entra = LocalEntra(
            state_dir=options.state_dir,
            service_url=options.service_url,
            http_port=options.http_port,
            https_port=options.https_port,
            with_control=options.control,
            directory_file=options.directory,
        )
    except (OSError, ValueError) as fault:
        sys.exit(f"local Entra can't start: {fault}")
    with entra:
        print(json.dumps({"http": entra.http, "https": entra.https, "ca": str(entra.ca_file)}), flush=True)
        signal.sigwait(ENDING)


if __name__ == "__main__":
    main()
