"""HTTP in, HTTP out. One module a resource, one function a call; no rules and no SDKs.

A handler has three beats: parse, one call, render. Its signature declares the endpoint: `functions.http` reads it, and
holds how requests are read, responses rendered and refusals worded. What is decided is in `shared`.
"""
