"""The soak: minutes of mixed traffic, and whether anything grows that should not. `make soak` runs it.

`world` starts the service with everything around it and prepares two customers and two applications; `callers`,
`people` and `managers` are who comes, and `traffic` lets them come at the same time; `vitals` samples what the process
holds, `rows` what the tables hold; and `verdict` says which of it is not flat. It ends with exit code 1 if anything is
not, or if anything was answered otherwise than it should be.
"""
