"""The version of the product, which is only in `pyproject.toml`. That file is deployed beside the code."""

import functools
from pathlib import Path

_PROJECT = Path(__file__).parent.parent / "pyproject.toml"


@functools.cache
def product_version() -> str:
    """Return the version, such as `1.4.0`. The file is read at the first call, since imports are the cold start."""
    import tomllib

    return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
