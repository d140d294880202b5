// oidc-client-ts with a refresh token, which takes the place of a hidden frame: https://authts.github.io/oidc-client-ts/
import { UserManager } from "oidc-client-ts";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const userManager = new UserManager({
  authority: env.ISSUER,
  client_id: env.CLIENT_ID,
  redirect_uri: env.REDIRECT_URI,
  scope: "openid email profile offline_access",
});

if (location.pathname === "/callback") {
  const user = await userManager.signinCallback();
  const renewed = await userManager.signinSilent(); // it also does so by itself, a minute before the access token ends
  const isNew = renewed!.access_token !== user!.access_token && renewed!.refresh_token !== user!.refresh_token;
  document.body.textContent = isNew ? `Signed in as ${renewed!.profile.email}` : "not renewed";
} else {
  await userManager.signinRedirect();
}
// endregion
