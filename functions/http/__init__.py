"""HTTP around the product. An endpoint is declared once: in the signature of its handler.

    @routes.put("/v1/accounts/{accountId}/policy")
    async def put_policy(
        administrator: AccountAdministrator, change: Replacement[PolicyBody], expected: IfMatch
    ) -> Ok[PolicyDocument]:
        \"\"\"Replace the policy.\"\"\"

Its first parameter is the role that the caller must prove (`roles`). Each further one names where its value comes
from (`parameters`); they are read from left to right, and the first refusal becomes the response. The return type names
the statuses and their documents (`responses`). `endpoint` turns the handler into an Azure function, and
`functions.openapi` describes it. Every decision is made in `shared`.
"""
