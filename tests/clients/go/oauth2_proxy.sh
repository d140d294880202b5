#!/bin/sh
# oauth2-proxy: https://oauth2-proxy.github.io/oauth2-proxy/configuration/providers/openid_connect
# region sign-in
exec oauth2-proxy \
  --provider=oidc \
  --oidc-issuer-url="$ISSUER" \
  --client-id="$CLIENT_ID" \
  --client-secret="$CLIENT_SECRET" \
  --redirect-url="$REDIRECT_URI" \
  --email-domain=* \
  --cookie-secret=0123456789abcdef0123456789abcdef \
  ${WITH_SETTING:+--code-challenge-method=S256} \
  --upstream=static://202 \
  --cookie-secure=false \
  --http-address="localhost:$PORT"
# endregion
