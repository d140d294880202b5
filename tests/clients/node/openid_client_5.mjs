// openid-client 5: https://github.com/panva/openid-client/tree/v5.x#quick-start
import express from "express";
import session from "express-session";
import { Issuer, generators } from "openid-client-5";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const issuer = await Issuer.discover(ISSUER);
const client = new issuer.Client({
  client_id: CLIENT_ID,
  client_secret: CLIENT_SECRET,
  redirect_uris: [REDIRECT_URI],
  response_types: ["code"],
});

app.get("/", (request, response) => {
  const code_verifier = (request.session.code_verifier = generators.codeVerifier());
  const code_challenge = generators.codeChallenge(code_verifier);
  response.redirect(
    client.authorizationUrl({ scope: "openid email profile", code_challenge, code_challenge_method: "S256" }),
  );
});

app.get("/callback", async (request, response) => {
  const { code_verifier } = request.session;
  const tokenSet = await client.callback(REDIRECT_URI, client.callbackParams(request), { code_verifier });
  response.send(`Signed in as ${tokenSet.claims().email}`);
});
// endregion
app.listen(PORT, "localhost");
