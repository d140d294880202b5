"""What the product needs of the world, as small promises.

Each port is a Protocol that says what it promises under concurrency, too. Its adapter and the in-memory fake of the
tests pass the same contract suite (`tests/contract`).
"""
