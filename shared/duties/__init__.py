"""Work that is due at a time: a notice that was not delivered, a probe of an account whose consent is in doubt.

A duty is a row. Its partition is the minute in which it is due, so that one range of the primary index has all duties
that are due and nothing else. `Duties` plans them; `DutyRunner` finds those that are due and runs each under a lease.
The package that plans a kind of work owns its meaning: it has a `Task`, the content of the row, and a `Kind`: how the
work is done, how often it is tried and when it is given up. `shared.assembly` gives the runner its kinds.

    planned ──lease──> taken ──done──> removed
       ^                 │
       │                 ├──not done──> planned again, later by the kind's backoff, or given up at the kind's end
       └──crash: the lease ends         (in a later partition: inserted there first, then removed here)

A duty can run more than once: after a crash, or when a response is lost. A handler must be safe to repeat.
"""
