"""The link between an account and a customer's Entra tenant: how it is made, proven, checked and undone.

`connection` is the record and draws its states. `consent` walks a browser through the administrator's consent, with
`consent_steps` for its values; `proof` holds the rules that show whose consent it is, as pure code. Afterwards `checks`
finds out whether the consent still stands, `connected_domains` keeps the account's domains in step with the tenant, and
`disconnection` ends it. `connections` is what others call. Which account a domain belongs to is for `shared.domains`.
"""
