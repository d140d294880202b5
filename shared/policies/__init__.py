"""What an account has decided about SSO: its policy."""
