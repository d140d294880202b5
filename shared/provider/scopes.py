"""The scopes that a client may ask for (OpenID Connect Core, sections 5.4 and 11)."""

OFFLINE_ACCESS = "offline_access"
"""The scope by which an application asks for refresh tokens."""

SCOPES = ("openid", "email", "profile", OFFLINE_ACCESS)
