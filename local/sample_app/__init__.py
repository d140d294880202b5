"""AnyMeeting, a sample of the vendor's applications, which signs people in through the service.

`app` is the whole integration, with Authlib, an OpenID Connect library that is given only the address of the discovery
document; `pages` is the HTML. A real application keeps its sessions in a store and has a password page that asks for a
password; everything else is the same.
"""
