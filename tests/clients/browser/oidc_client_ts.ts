// oidc-client-ts: https://authts.github.io/oidc-client-ts/
import { UserManager } from "oidc-client-ts";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const userManager = new UserManager({
  authority: env.ISSUER,
  client_id: env.CLIENT_ID,
  redirect_uri: env.REDIRECT_URI,
  scope: "openid email profile",
});

if (location.pathname === "/callback") {
  const user = await userManager.signinCallback();
  document.body.textContent = `Signed in as ${user!.profile.email}`;
} else {
  await userManager.signinRedirect();
}
// endregion
