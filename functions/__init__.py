"""HTTP in, HTTP out. One module a resource, one function a call; no rules and no SDKs.

A handler has three beats: parse, one call, render. How requests are read, answers rendered and refusals worded is in
`functions.edge`; what is decided is in `shared`.
"""
