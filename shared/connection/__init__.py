"""The link between an account and a customer's Entra tenant: how it is made, proven, checked and undone.

`connections` is what others call. `onboarding` walks the browser through consent and proof, with `integration` for its
values, and `proof` holds the rules as pure code. `lifecycle` keeps the connection afterwards, and `connected_domains`
keeps the account's list of domains in step with its tenant.
"""
