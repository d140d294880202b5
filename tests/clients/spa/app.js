// A single-page application as the documentation of oidc-client-ts shows one: it knows the issuer, and its own client id.
const { origin, pathname, search } = location;
const show = (id, text) => { document.getElementById(id).textContent = text; };

const manager = new oidc.UserManager({
  authority: new URLSearchParams(search).get("issuer") ?? localStorage.getItem("issuer"),
  client_id: "unite",
  redirect_uri: `${origin}/callback`,
  post_logout_redirect_uri: `${origin}/goodbye`,
  scope: "openid email profile offline_access",
  revokeTokensOnSignout: true,
  userStore: new oidc.WebStorageStateStore({ store: localStorage }), // so that two tabs have the same tokens
});
localStorage.setItem("issuer", manager.settings.authority);

let renewals = 0;
const greet = (user) => show("user", user?.profile.email ?? "nobody");
manager.events.addUserLoaded((user) => { greet(user); show("renewals", String(++renewals)); });
manager.events.addUserUnloaded(() => greet(null));
manager.events.addSilentRenewError((error) => show("error", error.error ?? error.message));

const failed = (error) => show("error", error.error ?? error.message);
document.getElementById("in").onclick = () => manager.signinRedirect().catch(failed);
document.getElementById("renew").onclick = () => manager.signinSilent().catch(failed);
document.getElementById("out").onclick = () => manager.signoutRedirect().catch(failed);

if (pathname === "/callback") {
  await manager.signinCallback().then(() => history.replaceState({}, "", "/")).catch(failed);
}
greet(await manager.getUser());
