"""Measurements: what `make bench` runs, prints and writes to docs/performance.md.

One module per comparison, on top of shared ones: `rounds` takes measurements in turn and computes their ratios,
`load` sends requests from a process of its own, `used` reads what processes have used, `stores` makes an Azurite of any
size, `stage` starts the hosts and `report` writes tables. `peers` are other products, measured in the same rounds on
demand. Everything is compared with something else in the same run, because the figures of one machine at one moment say
little about another. `goals` and `costs` measure nothing and read the tables: what was reached, and what it means in
Azure. `soak` compares the service with itself, minutes before: `make soak` runs it, and `tests/soak` a short one.

Nothing here is deployed. What must not get worse is guarded without a clock: storage calls and batches by
`tests/http/test_storage_calls.py`, their rounds by `tests/unit/provider/test_rounds.py`, functions and memory of the
hot path by `tests/unit/test_hot_path.py`, and what a start imports by `tests/architecture/test_cold_start.py`.
"""
