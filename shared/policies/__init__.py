"""The policy of an account: its SSO settings."""
