"""The users of an account: who keeps the vendor's password, and who is tied to which Entra identity.

`user_key` names one user of one account. `exemptions` is the exception list and `exchange` the same as a file; `links`
holds who may sign in as whom.
"""
