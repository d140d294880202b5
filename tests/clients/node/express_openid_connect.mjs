// express-openid-connect: https://github.com/auth0/express-openid-connect#getting-started
import express from "express";
import { auth } from "express-openid-connect";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;

// region sign-in
const app = express();
app.use(
  auth({
    issuerBaseURL: ISSUER,
    baseURL: `http://localhost:${PORT}`,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: "not a secret, but long enough to sign with",
    authorizationParams: { response_type: "code" },
  }),
);
app.get("/", (request, response) => response.send(`Signed in as ${request.oidc.user.email}`));
// endregion
app.listen(PORT, "localhost");
