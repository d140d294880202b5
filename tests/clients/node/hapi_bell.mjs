// @hapi/bell with a custom provider: https://hapi.dev/module/bell/api/
import bell from "@hapi/bell";
import Hapi from "@hapi/hapi";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const server = Hapi.server({ host: "localhost", port: PORT });

// region sign-in
const metadata = await (await fetch(`${ISSUER}/.well-known/openid-configuration`)).json();
await server.register(bell);
server.auth.strategy("sso", "bell", {
  provider: {
    name: "sso",
    protocol: "oauth2",
    useParamsAuth: true,
    auth: metadata.authorization_endpoint,
    token: metadata.token_endpoint,
    scope: ["openid", "email", "profile"],
    ...("WITH_SETTING" in process.env && { pkce: "S256" }),
    profile: async (credentials, params, get) => {
      credentials.profile = await get(metadata.userinfo_endpoint);
    },
  },
  password: "not a secret, but long enough to sign with",
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  isSecure: false, // only for http://localhost
});
server.route({
  method: "GET",
  path: "/callback",
  options: {
    auth: { mode: "try", strategy: "sso" },
    handler: ({ auth }) => (auth.isAuthenticated ? `Signed in as ${auth.credentials.profile.email}` : auth.error.message),
  },
});
// endregion
await server.start();
