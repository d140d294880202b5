"""The link between an account and a customer's Entra tenant: how it is made, proven, checked and undone.

`connection` is the record and draws its states. `consent` guides a browser through the administrator's consent, with
`consent_steps` for its values; `proof` has the rules that show whose consent it is, as pure code. `setup_links` are
start links that are valid for days, which `setup_book` lists and revokes. Afterwards `checks` checks whether the
consent is still valid, `connected_domains` keeps the account's domains in step with the tenant, and `disconnection`
ends it. Other packages call `connections`. `shared.domains` decides which account a domain belongs to.
"""
