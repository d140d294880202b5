"""What has changed, who changed it and when: typed events, and the trail that each thing keeps of its own.

`events` is what every event has in common and the catalogue of all of them; each is declared beside the record that it
changes. `trail` writes an event in the transaction that makes the change. Readers of a trail are the vendor's operators
and an account's Security Manager; what is only counted or logged is telemetry, not an event.
"""
