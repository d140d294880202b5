"""The users of an account: who keeps the vendor's password, and who is tied to which Entra identity.

For now a front for `shared.policies.exemptions` and `shared.broker.links`, which hold the rules.
"""
