"""The product: accounts, connections, policies and the decision how a person signs in.

Nothing below `adapters` knows HTTP or Azure. Imports point one way, from stories to words:
`resolution -> connection, policies -> accounts, applications, flows -> access -> ports -> kernel`. `wiring` makes ports
of settings by `adapters`, and `assembly` makes the product of ports.
"""
