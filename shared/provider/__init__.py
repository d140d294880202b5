"""The OpenID provider towards the vendor's applications, with Entra behind it.

    authorize   an application sends a person; email and application are resolved, the person goes to their tenant
    complete    Entra sends the person back; who they are is proven, linked, and decided upon once more
    redeem      the application trades the code for tokens
    sign out    the person, or Entra, ends it; the applications hear of it

The storage calls of a whole sign-in, with what was asked a moment ago remembered:

    authorize   1  the state is written
    complete    5  the state is read and removed, the link is read, the session and the code are written
    redeem      2  the code is read and removed

A first sign-in reads the account's head and writes the link, in one transaction with its audit record. Who must sign in
anew, because it was longer ago than `max_age`, goes to Microsoft twice: three calls more.

`openid_provider` is what others call. `requests` reads what applications ask, `clients` says who asks. `setting_out` is
the way to Entra and `coming_back` the way back, with `visit` for their values and `responses` for what each comes to;
`links` ties people to Entra identities. `redemption` trades codes for what `issuing` makes, `sign_out` ends what
`sessions` remembers.
The grammar is that of OpenID Connect Core 1.0 and OAuth 2.0 with the counsel of RFC 9700; who signs in how is decided
by `shared.resolution`.
"""
