"""Microsoft Entra ID and Graph behind the ports for sign-in, consent and organisations.

`provider` is the port; `msal_clients` holds MSAL, one application a tenant, in threads; `id_tokens` verifies what MSAL
does not; `explanations` puts Entra's refusals into words that say who must do what.
"""
