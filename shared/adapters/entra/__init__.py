"""Microsoft Entra ID and Graph behind the ports for sign-in, consent and organisations.

`provider` implements the port; `msal_clients` runs MSAL in threads, one application per tenant, over `msal_http`;
`id_tokens` verifies the claims that MSAL does not; `managed_identity` proves who this service is; `explanations` turns
Entra's errors into sentences that name who must do what.
"""
