// next-auth 4: https://next-auth.js.org/configuration/providers/oauth#using-a-custom-provider. Express hands the requests on
// as a Next.js API route gets them.
import { createRequire } from "node:module";
import express from "express";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
process.env.NEXTAUTH_URL = `http://localhost:${PORT}`;
const require = createRequire(import.meta.url);
const { default: NextAuth } = require("next-auth/next");
const { getServerSession } = require("next-auth/next");

// region sign-in
const options = {
  providers: [
    {
      id: "sso",
      name: "SSO",
      type: "oauth",
      wellKnown: `${ISSUER}/.well-known/openid-configuration`,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      authorization: { params: { scope: "openid email profile" } },
      idToken: true,
      checks: ["pkce", "state"],
      profile: (profile) => ({ id: profile.sub, name: profile.name, email: profile.email }),
    },
  ],
  secret: "not a secret, but long enough to sign with",
};
// endregion

const app = express();
app.use(express.urlencoded());
app.use((request, _, next) => {
  const cookies = (request.headers.cookie ?? "").split("; ").map((pair) => pair.split(/=(.*)/s).slice(0, 2));
  request.cookies = Object.fromEntries(cookies.map(([name, value]) => [name, decodeURIComponent(value ?? "")]));
  next();
});
app.all("/api/auth/*path", (request, response) => {
  const query = { ...request.query, nextauth: request.params.path };
  Object.defineProperty(request, "query", { value: query });
  return NextAuth(request, response, options);
});
app.get("/", async (request, response) => {
  const session = await getServerSession(request, response, options);
  response.send(`Signed in as ${session.user.email}`);
});
app.listen(PORT, "localhost");
