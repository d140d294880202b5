"""Other products beside the service, in the same rounds: what `make bench PEERS=1` compares it with.

Each module runs one of them as a context manager that gives a `Peer`: what it is, which processes' CPU is its cost,
and how it is asked, each only if it can do it. `registry` lists them. Nothing here is fetched or started without PEERS.
"""
