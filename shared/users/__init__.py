"""The users of an account: the exception list, and the links between users and Entra identities.

`user_key` names one user of one account. `exemptions` is the exception list, and `exchange` reads and writes it as a
file; `links` decides who may sign in as whom.
"""
