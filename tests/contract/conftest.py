"""The contract suites, and adapters that are tried on what they talk to, share the same real parts."""

from tests.support.real_parts import entra, real_entra, running_entra, store, web

__all__ = ["entra", "real_entra", "running_entra", "store", "web"]
