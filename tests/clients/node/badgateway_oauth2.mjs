// @badgateway/oauth2-client: https://github.com/badgateway/oauth2-client#authorization_code-grant
import { OAuth2Client, generateCodeVerifier } from "@badgateway/oauth2-client";
import express from "express";
import session from "express-session";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const client = new OAuth2Client({
  server: ISSUER,
  discoveryEndpoint: "/.well-known/openid-configuration",
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
});
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();

app.get("/", async (request, response) => {
  const codeVerifier = (request.session.codeVerifier = await generateCodeVerifier());
  const state = (request.session.state = crypto.randomUUID());
  const scope = ["openid", "email", "profile"];
  const redirectUri = REDIRECT_URI;
  response.redirect(await client.authorizationCode.getAuthorizeUri({ redirectUri, state, codeVerifier, scope }));
});

app.get("/callback", async (request, response) => {
  const { codeVerifier, state } = request.session;
  const url = new URL(request.url, REDIRECT_URI).href;
  const tokens = await client.authorizationCode.getTokenFromCodeRedirect(url, {
    redirectUri: REDIRECT_URI,
    state,
    codeVerifier,
  });
  const headers = { Authorization: `Bearer ${tokens.accessToken}` };
  const person = await (await fetch(metadata.userinfo_endpoint, { headers })).json();
  response.send(`Signed in as ${person.email}`);
});
// endregion
app.listen(PORT, "localhost");
