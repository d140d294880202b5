"""What the product needs from outside, as small promises.

Each port is a Protocol that states its promises, concurrency included. Its adapter and the in-memory fake of the tests
pass the same contract suite (`tests/contract`).
"""
