"""The Chromium of this machine, for tests that need a real browser. Nothing is downloaded."""

import os
import shutil
from collections.abc import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # containers allow no sandbox, and every page is our own
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost",
)


def find_chromium(environment: Mapping[str, str] = os.environ) -> str:
    """The program to run: `CHROMIUM`, or else a browser on the `PATH`.

    Raises:
        FileNotFoundError: there is none. The message says how to get one.
    """
    names = [environment["CHROMIUM"]] if environment.get("CHROMIUM") else NAMES
    found = next(filter(None, (shutil.which(name, path=environment.get("PATH")) for name in names)), None)
    if found is None:
        raise FileNotFoundError(
            f"No browser was found ({', '.join(names)}): install Chromium, on Debian by "
            "`apt-get install chromium`, or name its program in CHROMIUM."
        )
    return found
