"""The people and programs around the service, one cast for the demo, the tests and the benchmarks.

`browser` is one person's browser, `person` who they are, `application` what asks for a sign-in, `panel` what calls the
API, `stack` the service and its surroundings as processes on free ports, and `story` what they all do together. They
know the service by its addresses only, and share no code with it.
"""
