// Auth.js in Express: https://authjs.dev/reference/express, with a provider of one's own:
// https://authjs.dev/guides/configuring-oauth-providers#use-your-own-provider
import { ExpressAuth, getSession } from "@auth/express";
import express from "express";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;

// region sign-in
const config = {
  providers: [
    { id: "sso", name: "SSO", type: "oidc", issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
  ],
  secret: "not a secret, but long enough to sign with",
};
const app = express();
app.set("trust proxy", true);
app.use("/auth", ExpressAuth(config));
app.get("/", async (request, response) => {
  const session = await getSession(request, config);
  response.send(`Signed in as ${session.user.email}`);
});
// endregion
app.listen(PORT, "localhost");
