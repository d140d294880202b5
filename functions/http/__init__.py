"""HTTP around the product. An endpoint is said once: in the signature of its handler.

    @routes.put("/v1/accounts/{accountId}/policy")
    async def put_policy(
        administrator: AccountAdministrator, change: Replacement[PolicyBody], expected: IfMatch
    ) -> Ok[PolicyDocument]:
        \"\"\"Replace the policy.\"\"\"

Its first parameter is the role that the caller must prove (`roles`). Each further one names where its value comes
from (`parameters`); they are read from left to right, and the first that is refused is the response. What it returns
names the statuses and their documents (`responses`). `endpoint` makes a function for Azure of it, and
`functions.openapi` describes it. What is decided is in `shared`.
"""
