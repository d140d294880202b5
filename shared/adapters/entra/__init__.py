"""Microsoft Entra ID and Graph behind the identity provider port.

`provider` is the port; `msal_clients` holds MSAL, one application a tenant, in threads; `id_tokens` verifies what MSAL
does not; `explanations` puts Entra's refusals into words that say who must do what.
"""
