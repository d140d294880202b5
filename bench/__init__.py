"""Measurements: what `make bench` runs, prints and writes to docs/performance.md.

One module per comparison, on top of shared ones: `rounds` takes measurements in turn and computes their ratios,
`load` sends requests from a process of its own, `stores` makes an Azurite of any size, `stage` starts the hosts and
`report` writes tables. `peers` are other products, measured in the same rounds on demand. Everything is compared with
something else in the same run, because the figures of one machine at one moment say little about another. `goals`
and `costs` measure nothing and read the tables: what was reached, and what it means in Azure. Nothing here is deployed;
what must not get worse is guarded without a clock by `tests/http/test_storage_calls.py`, `tests/unit/test_hot_path.py`
and `tests/architecture`. `soak` compares the service with itself, minutes before: `make soak` runs it, and `tests/soak`
a short one.
"""
