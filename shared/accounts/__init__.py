"""Accounts of the vendor: who they are, which email domains route to them, and who changed what.

Everything of an account is in one partition, so that a change and its audit record are one transaction. The claim that
a domain routes to an account is the one thing that lies outside: it must be unique among all accounts.
"""
