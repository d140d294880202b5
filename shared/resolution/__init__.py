"""Home realm discovery: email and application in, `sso` or `password` out, with the reason.

`decision` is the rule, one pure function; `resolver` gathers what it needs, in two rounds of reading.
"""
