"""Single-use items that a browser carries: start tickets, states and codes.

A flow is found by the hash of its handle, so that a reader of the table can use none of them; it expires, is bound to a
browser where that matters, and is redeemed by exactly one caller. A timer purges expired flows.
"""
