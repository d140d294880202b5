"""The contract suites play on the same real parts."""

from tests.support.real_parts import entra, real_entra, running_entra, store, web

__all__ = ["entra", "real_entra", "running_entra", "store", "web"]
