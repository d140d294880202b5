"""Work that is due at a time: a notice that was not heard, a probe of an account that is not well.

A duty is a row. Its partition is the minute in which it is due, so that one range of the primary index holds all that
are due and nothing else. `Duties` plans them; `DutyRunner` finds those that are due and does each under a lease. What
a kind of work means belongs to the package that plans it: it brings a `Task`, what to say in the row, and a `Kind`,
how it is done, how often it is tried and when it ends. `shared.assembly` gives the runner its kinds.

    planned ──lease──> taken ──done──> removed
       ^                 │
       │                 ├──not done──> planned again, later by the kind's backoff, or given up at the kind's end
       └──crash: the lease ends         (in a later partition: inserted there first, then removed here)

A duty can be done more than once: after a crash, or when an answer is lost. A handler must be safe to repeat.
"""
