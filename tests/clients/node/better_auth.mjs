// better-auth: https://www.better-auth.com/docs/plugins/generic-oauth, without a database
import { betterAuth } from "better-auth";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { genericOAuth } from "better-auth/plugins";
import express from "express";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;

// region sign-in
const auth = betterAuth({
  baseURL: `http://localhost:${PORT}`,
  secret: "not a secret, but long enough to sign with",
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: "sso",
          clientId: CLIENT_ID,
          clientSecret: CLIENT_SECRET,
          discoveryUrl: `${ISSUER}/.well-known/openid-configuration`,
          scopes: ["openid", "email", "profile"],
        },
      ],
    }),
  ],
});
// endregion

const app = express();
app.all("/api/auth/*path", toNodeHandler(auth));
app.get("/", async (request, response) => {
  const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
  if (session) return response.send(`Signed in as ${session.user.email}`);
  const body = { provider: "sso", callbackURL: "/" };
  const answer = await auth.api.signInSocial({ body, asResponse: true });
  response.setHeader("Set-Cookie", answer.headers.getSetCookie());
  response.redirect((await answer.json()).url);
});
app.listen(PORT, "localhost");
