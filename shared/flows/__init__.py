"""Items that a browser carries for a time, such as states and codes; and the rows that expire with them.

A flow is found by the hash of its handle, so that a reader of the table can use none of them; it expires, is bound to a
browser where that matters. Either exactly one caller takes it, or it is revised, by one caller after the other.

    issued ──find──> held ──take──> taken          find reads it and changes nothing
       │ └──revise──> issued, as it is now
       └──its time is over──> expired ──purge──> removed, and so is what was taken

Every row of the table is in a partition of the time at which it expires (`expiry`). So a timer purges what has expired
without reading what has not (`purge`). `flows` issues, finds, takes and revises: each is `inserted` once, the instance
that has `issued` it keeps a copy, and it may follow from another one `once`, or lie `beside` other rows.
"""
