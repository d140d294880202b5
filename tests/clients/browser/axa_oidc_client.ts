// @axa-fr/oidc-client: https://github.com/AxaFrance/oidc-client/tree/main/packages/oidc-client
import { OidcClient } from "@axa-fr/oidc-client";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const client = OidcClient.getOrCreate(() => fetch)({
  client_id: env.CLIENT_ID,
  redirect_uri: env.REDIRECT_URI,
  silent_redirect_uri: `${location.origin}/silent`,
  scope: "openid profile email",
  authority: env.ISSUER,
});

await client.tryKeepExistingSessionAsync();
if (client.tokens) document.body.textContent = `Signed in as ${client.tokens.idTokenPayload.email}`;
else if (location.pathname === "/callback") {
  await client.loginCallbackAsync();
  document.body.textContent = `Signed in as ${client.tokens!.idTokenPayload.email}`;
} else await client.loginAsync("/");
// endregion
