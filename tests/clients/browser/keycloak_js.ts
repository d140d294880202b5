// keycloak-js with a generic provider: https://www.keycloak.org/securing-apps/javascript-adapter
import Keycloak from "keycloak-js";

declare const env: { ISSUER: string; CLIENT_ID: string; REDIRECT_URI: string };

// region sign-in
const keycloak = new Keycloak({ clientId: env.CLIENT_ID, oidcProvider: env.ISSUER });
await keycloak.init({
  onLoad: "login-required",
  redirectUri: env.REDIRECT_URI,
  scope: "email profile",
  checkLoginIframe: false, // the frame that watches the session is Keycloak's own
});
document.body.textContent = `Signed in as ${keycloak.idTokenParsed!["email"]}`;
// endregion
