"""HTTP in, HTTP out. One module per resource, one function per call; no rules and no SDKs.

A handler has three beats: parse, one call, render. Its signature declares the endpoint. `functions.http` reads that
signature, reads requests, renders responses and words refusals. Every decision is made in `shared`.
"""
