"""The adapters are tried on the real parts that they talk to."""

from tests.support.real_parts import entra, real_entra, running_entra, store, web

__all__ = ["entra", "real_entra", "running_entra", "store", "web"]
