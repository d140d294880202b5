"""Microsoft Entra ID and Graph behind the identity provider port.

`provider` implements the port; `msal_clients` runs MSAL in threads, one application per tenant; `id_tokens` verifies
the claims that MSAL does not; `explanations` turns Entra's errors into sentences that name who must do what.
"""
