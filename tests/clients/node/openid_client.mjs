// openid-client 6: https://github.com/panva/openid-client#quick-start
import express from "express";
import session from "express-session";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET);

app.get("/", async (request, response) => {
  const code_verifier = (request.session.code_verifier = client.randomPKCECodeVerifier());
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: "openid email profile",
    code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: "S256",
  };
  response.redirect(client.buildAuthorizationUrl(config, parameters).href);
});

app.get("/callback", async (request, response) => {
  const tokens = await client.authorizationCodeGrant(config, new URL(request.url, REDIRECT_URI), {
    pkceCodeVerifier: request.session.code_verifier,
  });
  response.send(`Signed in as ${tokens.claims().email}`);
});
// endregion
app.listen(PORT, "localhost");
