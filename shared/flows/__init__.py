"""Items that a browser carries: start tickets, states and codes.

A flow is found by the hash of its handle, so that a reader of the table can use none of them; it expires, and is bound
to a browser where that matters. Either exactly one caller redeems it, or it is revised, one caller after the other. A
timer purges expired flows.
"""
