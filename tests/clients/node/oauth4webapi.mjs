// oauth4webapi: https://github.com/panva/oauth4webapi/blob/main/examples/oidc.ts
import express from "express";
import session from "express-session";
import * as oauth from "oauth4webapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const issuer = new URL(ISSUER);
const as = await oauth.discoveryRequest(issuer).then((response) => oauth.processDiscoveryResponse(issuer, response));
const client = { client_id: CLIENT_ID };
const clientAuth = oauth.ClientSecretPost(CLIENT_SECRET);

app.get("/", async (request, response) => {
  const code_verifier = (request.session.code_verifier = oauth.generateRandomCodeVerifier());
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: "code",
    scope: "openid email profile",
    code_challenge: await oauth.calculatePKCECodeChallenge(code_verifier),
    code_challenge_method: "S256",
  });
  response.redirect(url.href);
});

app.get("/callback", async (request, response) => {
  const params = oauth.validateAuthResponse(as, client, new URL(request.url, REDIRECT_URI));
  const answer = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    clientAuth,
    params,
    REDIRECT_URI,
    request.session.code_verifier,
  );
  const result = await oauth.processAuthorizationCodeResponse(as, client, answer, { requireIdToken: true });
  response.send(`Signed in as ${oauth.getValidatedIdTokenClaims(result).email}`);
});
// endregion
app.listen(PORT, "localhost");
