"""The vendor's applications: their names, redirect URIs, client secrets, and whether they support SSO."""
