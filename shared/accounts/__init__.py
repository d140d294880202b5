"""Accounts of the vendor: who they are, and who changed what.

Everything of an account is in one partition, so that a change and its audit record are one transaction. The claim of a
domain is the one thing that lies outside (`shared.domains`): it must be unique among all accounts.
"""
