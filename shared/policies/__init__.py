"""What an account has decided about SSO: its policy, and its exceptions, the users who keep the vendor's password."""
