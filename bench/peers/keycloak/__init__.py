"""Keycloak with Organizations, brokering to a local Entra: the peer that does the same job for an application.

`distribution` fetches it from Maven Central and runs its program, `realm` is how it is configured, and `peer` puts both
beside a local Entra.
"""
