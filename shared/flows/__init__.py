"""Things that are given to a browser once: tickets, states, and later codes.

A flow is found by the hash of its handle, so that who reads the table can use none of them; it expires, is bound to a
browser where that matters, and is redeemed by exactly one caller. A timer purges what nobody redeemed.
"""
