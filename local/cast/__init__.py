"""The people and programs around the service, one cast for the demo, the tests and the benchmarks.

`browser` is one person's browser, `person` lists the people, `application` requests sign-ins, `panel` calls the API,
`stack` runs the service and its surroundings as processes on free ports, and `story` is what they all do together. They
know only the service's addresses, and share no code with it.
"""
