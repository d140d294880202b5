"""Microsoft Entra ID and Graph behind the ports for sign-in, consent and organisations.

`provider` implements the ports. It hands on to `token_requests`, which requests tokens and says whose fault it is if
there are none; `id_tokens`, where every check of an ID token is; `graph`, which reads an organisation; and
`explanations`, which turns Entra's errors into sentences that name who must do what. `msal_clients` keeps MSAL's
clients, one per tenant; `msal_http` calls MSAL without a thread; `managed_identity` proves who this service is.
"""
