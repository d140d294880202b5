"""Email domains and their accounts: one account at most, and only one whose tenant has verified the domain.

`domain_claims` is the one row per domain that names its account and the tenant that proved it. `tenant_domains` is the
account's own list of the domains that its tenant has verified. `routing` keeps the two in step: both must agree before
anything routes. `public_domains` never route. `shared.connection` decides when a tenant is read.
"""
