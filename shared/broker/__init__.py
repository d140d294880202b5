"""The OpenID provider towards the vendor's applications, with Entra behind it.

    authorize   an application sends a person; email and application are resolved, the person goes to their tenant
    complete    Entra sends the person back; who they are is proven, linked, and decided upon once more
    redeem      the application trades the code for tokens
    sign out    the person, or Entra, ends it; the applications hear of it

`requests` reads what applications ask, `clients` says who asks, `links` ties people to Entra identities, `sign_in` is
the way there and back, `redemption` trades codes for what `issuing` makes, `sign_out` ends what `sessions` remembers.
The grammar is that of OpenID Connect Core 1.0 and OAuth 2.0 with the counsel of RFC 9700; who signs in how is decided
by `shared.resolution`.
"""
