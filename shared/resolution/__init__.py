"""Home realm discovery: email and application in, `sso` or `password` out, with the rule that chose it.

`facts` reads the input of the decision, in two rounds. `decision` is the rule, pure, with a trace of every rule for a
person who asks why. `resolver` caches the resolutions of domains in a `leased_cache`, and words the event that reports
one. The package writes nothing, and signs nobody in: `shared.provider` does.
"""
