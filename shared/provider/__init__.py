"""The OpenID provider towards the vendor's applications, with Entra behind it.

    authorize     an application sends a person; email and application are resolved, the person goes to their tenant
    complete      Entra sends the person back; their identity is proven and linked, after resolving once more
    redeem        the application exchanges the code for tokens
    end session   the person, or Entra, signs out; the applications are notified

The storage calls of a whole sign-in, with recent reads cached, on one instance:

    authorize   1  the state is written
    complete    4  the state is marked as answered, account and link are read, session and code are written together
    redeem      1  the code is taken

Completing takes two rounds, whatever is cached: the mark, account and link, and what a decision reads, beside the
request to Microsoft; then session and code. An instance that has not issued the state reads it first, which is a third
round. One that has not issued the code reads code and link before it takes the code.

Completing reads account and link without the cache, since the account may have been closed or replaced, and the link
released. Redeeming decides once more, by rows that are up to ten seconds old: a code may be a minute old. A first
sign-in writes the link, in one transaction with its audit record. A person who signed in longer ago than `max_age` goes
to Microsoft twice: three calls more.

Other packages call `openid_provider`: one part per endpoint. `sign_in` decides which step comes next; the steps,
`authorize` and `callback`, never call one another.

    authorize, callback                          the steps of a sign-in
    requesting_client, authorization_request,    the request, how it is read, and why it is refused
      parameters, scopes, errors
    pushed_requests                              requests that an application sends ahead
    authorization, authorization_response        the state meanwhile, and where the browser goes
    expected_person                              whom the browser remembers, and an `id_token_hint` demands
    reauthentication, assurance                  whether a sign-in is recent enough, and what Entra calls its context
    login_initiation                             a tile or a link elsewhere that opens an application
    client_authentication, userinfo              who calls from an application's server, and whom a token is about
    token, codes, reused_codes                   codes, each written with its session, and those that are shown twice
    refresh, refresh_token, families, family,    refresh tokens: how they renew, what ends them, and how often they may
      renewal_pace, revocation
    standing                                     whether a sign-in still stands when a code or a token is shown
    end_session, sessions, logout_notices        logout, and the applications that it reaches
    issuer                                       the tokens

The grammar is that of OpenID Connect Core 1.0 and OAuth 2.0, under the current practice of RFC 9700.
`shared.resolution` decides how a person signs in, and `shared.users` which identity is theirs.
"""
