"""A sample of what the vendor's applications do: AnyMeeting, which people sign in to through the service.

`app` is all of the integration, on Authlib, an OpenID Connect library that knows nothing of the service but the address
of its discovery document; `pages` is what people see. A real application keeps its sessions in a store and has a
password page that asks for a password; the rest is the same.
"""
