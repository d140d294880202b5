"""The vendor's applications: what each is called, where people return to, and whether SSO can serve it."""
