// @hono/oidc-auth: https://github.com/honojs/middleware/tree/main/packages/oidc-auth
import { serve } from "@hono/node-server";
import { getAuth, initOidcAuthMiddleware, oidcAuthMiddleware, processOAuthCallback } from "@hono/oidc-auth";
import { Hono } from "hono";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;

// region sign-in
const app = new Hono();
app.use(
  initOidcAuthMiddleware({
    OIDC_ISSUER: ISSUER,
    OIDC_CLIENT_ID: CLIENT_ID,
    OIDC_CLIENT_SECRET: CLIENT_SECRET,
    OIDC_REDIRECT_URI: REDIRECT_URI,
    OIDC_AUTH_SECRET: "not a secret, but long enough to sign with",
  }),
);
app.get("/callback", (c) => processOAuthCallback(c));
app.use("*", oidcAuthMiddleware());
app.get("/", async (c) => c.text(`Signed in as ${(await getAuth(c)).email}`));
// endregion
serve({ fetch: app.fetch, port: Number(PORT), hostname: "localhost" });
