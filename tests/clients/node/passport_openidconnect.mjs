// passport-openidconnect: https://www.passportjs.org/packages/passport-openidconnect/
import express from "express";
import session from "express-session";
import passport from "passport";
import OpenIDConnectStrategy from "passport-openidconnect";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));
app.use(passport.authenticate("session"));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

// region sign-in
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
passport.use(
  new OpenIDConnectStrategy(
    {
      issuer: metadata.issuer,
      authorizationURL: metadata.authorization_endpoint,
      tokenURL: metadata.token_endpoint,
      userInfoURL: metadata.userinfo_endpoint,
      clientID: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      callbackURL: REDIRECT_URI,
      scope: "email profile",
      nonce: "WITH_SETTING" in process.env,
    },
    (issuer, profile, done) => done(null, profile),
  ),
);

app.get("/", (request, response, next) =>
  request.user
    ? response.send(`Signed in as ${request.user.emails[0].value}`)
    : passport.authenticate("openidconnect")(request, response, next),
);
app.get("/callback", passport.authenticate("openidconnect", { successRedirect: "/" }));
// endregion
app.listen(PORT, "localhost");
