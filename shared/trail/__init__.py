"""Audit trails: typed events that record each change, with its author and time.

`events` has the base class of events and the catalogue of all of them; each is declared beside the record that it
changes. `trail` writes an event in the transaction that makes the change. Readers of a trail are the vendor's operators
and an account's Security Manager; data that is only counted or logged is telemetry, not an event.
"""
