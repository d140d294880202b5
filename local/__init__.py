"""Stand-ins for Azure on one machine: the Functions host, Entra, the demo.

Nothing here is deployed (`.funcignore`), and nothing in `functions` or `shared` imports it. `local.host`
serves the app on Microsoft's worker library, `local.entra` plays Microsoft Entra ID, Graph and the control
panel's identity provider, `local.processes` starts and stops them, and `local.run` and `local.demo` are `make
run` and `make demo`.
"""
