// openid-client 6 as a strategy of Passport: https://github.com/panva/openid-client/blob/main/examples/passport.ts
import express from "express";
import session from "express-session";
import * as client from "openid-client";
import { Strategy } from "openid-client/passport";
import passport from "passport";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;
const app = express();
app.use(session({ secret: "not a secret", resave: false, saveUninitialized: true }));
app.use(passport.authenticate("session"));
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

// region sign-in
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET);
const options = { config, scope: "openid email profile", callbackURL: REDIRECT_URI };
passport.use("sso", new Strategy(options, (tokens, done) => done(null, tokens.claims())));

app.get("/", (request, response, next) =>
  request.user ? response.send(`Signed in as ${request.user.email}`) : passport.authenticate("sso")(request, response, next),
);
app.get("/callback", passport.authenticate("sso", { successRedirect: "/" }));
// endregion
app.listen(PORT, "localhost");
