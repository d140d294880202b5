// grant: https://github.com/simov/grant#configuration-custom
import express from "express";
import session from "express-session";
import grant from "grant";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));

// region sign-in
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
app.use(
  grant.express({
    defaults: { origin: `http://localhost:${PORT}`, transport: "session", state: true },
    sso: {
      authorize_url: metadata.authorization_endpoint,
      access_url: metadata.token_endpoint,
      profile_url: metadata.userinfo_endpoint,
      oauth: 2,
      key: CLIENT_ID,
      secret: CLIENT_SECRET,
      scope: ["openid", "email", "profile"],
      scope_delimiter: " ",
      pkce: "WITH_SETTING" in process.env,
      response: ["tokens", "profile"],
      callback: "/hello",
    },
  }),
);
app.get("/hello", (request, response) => {
  response.send(`Signed in as ${request.session.grant.response.profile?.email}`);
});
// endregion
app.listen(PORT, "localhost");
