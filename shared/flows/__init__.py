"""Items that a browser carries and that are good once, such as states and codes; and the rows that expire with them.

A flow is found by the hash of its handle, so that a reader of the table can use none of them; it expires, is bound to a
browser where that matters, and is taken by exactly one caller.

    issued ──find──> held ──take──> taken          find reads it and changes nothing
       └──its time is over──> expired ──purge──> removed, and so is what was taken

Every row of the table is in a partition of the time at which it expires (`shared.flows.expiry`). So a timer purges what
has expired without reading what has not.
"""
