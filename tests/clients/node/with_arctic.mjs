// arctic's generic client: https://arcticjs.dev/guides/generic-oauth2-client
import { CodeChallengeMethod, OAuth2Client, decodeIdToken, generateCodeVerifier, generateState } from "arctic";
import express from "express";
import session from "express-session";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
const client = new OAuth2Client(CLIENT_ID, CLIENT_SECRET, REDIRECT_URI);

app.get("/", (request, response) => {
  const state = (request.session.state = generateState());
  const verifier = (request.session.verifier = generateCodeVerifier());
  const { authorization_endpoint: endpoint } = metadata;
  const scopes = ["openid", "email", "profile"];
  const url = client.createAuthorizationURLWithPKCE(endpoint, state, CodeChallengeMethod.S256, verifier, scopes);
  response.redirect(url.href);
});

app.get("/callback", async (request, response) => {
  const { state, verifier } = request.session;
  if (request.query.state !== state) return response.status(400).send("another state");
  const tokens = await client.validateAuthorizationCode(metadata.token_endpoint, request.query.code, verifier);
  response.send(`Signed in as ${decodeIdToken(tokens.idToken()).email}`);
});
// endregion
app.listen(PORT, "localhost");
