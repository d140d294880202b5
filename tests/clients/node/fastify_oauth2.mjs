// @fastify/oauth2 with discovery: https://github.com/fastify/fastify-oauth2#use-automated-discovery-endpoint
import oauthPlugin from "@fastify/oauth2";
import Fastify from "fastify";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, REDIRECT_URI, PORT } = process.env;

// region sign-in
const fastify = Fastify();
fastify.register(oauthPlugin, {
  name: "sso",
  scope: ["openid", "email", "profile"],
  credentials: { client: { id: CLIENT_ID, secret: CLIENT_SECRET } },
  startRedirectPath: "/",
  callbackUri: REDIRECT_URI,
  discovery: { issuer: ISSUER },
});
fastify.get("/callback", async function (request) {
  const { token } = await this.sso.getAccessTokenFromAuthorizationCodeFlow(request);
  const userinfo = await this.sso.userinfo(token.access_token);
  return `Signed in as ${userinfo.email}`;
});
// endregion
await fastify.listen({ port: Number(PORT), host: "localhost" });
