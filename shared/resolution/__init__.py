"""Home realm discovery: email and application in, `sso` or `password` out, with the rule that chose it.

`facts` reads what the decision rests on, in two rounds. `decision` is the rule, pure, with a trace of every rule for a
person who asks why. `resolver` keeps resolutions in a `leased_cache` and reports them. It writes nothing, and signs
nobody in: that is for `shared.provider`.
"""
