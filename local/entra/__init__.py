"""Local Entra: the stand-in for Microsoft on one machine.

It plays Microsoft Entra ID, Microsoft Graph, the managed identity endpoint and the control panel's identity provider,
and owns the behaviour that a client can see: discovery, keys, admin consent, sign-in, tokens, logout, `/organization`
and the AADSTS refusals. It is as strict as the real one, and hostile only where `/_local/hostile` says so. It shares no
code with the service, so a mistake of one can't hide in the other; it keeps everything in memory and is never deployed.

Run it with `python -m local.entra`, or in a test with `local.entra.server.LocalEntra`; `directory.toml` says who
exists.

Browsers drive it by HTML forms, and so may tests. Every form posts to its `action` with the hidden field `csrf`, and:

- the sign-in page: `email`, `password`, and the button `action=sign_in`; with `prompt=select_account` and somebody
  signed in also `action=continue`;
- the consent page: `action=accept` or `action=cancel`;
- pages that refuse: `action=other` (another account) and, where Entra offers it, `action=return` (to the
  application);
- `response_mode=form_post`: one form to the redirect URI, without `csrf`.
"""
