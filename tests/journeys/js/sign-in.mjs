// Signs one person in with openid-client, through discovery alone.
//
// In: one line of JSON with issuer, clientId, redirectUri, loginHint, method, and what the method needs (secret, or
// privateKey as a JWK); with pushes, the request is pushed (RFC 9126). Out: a line with the address for the browser. In: the address to which the browser came back.
// Out: a line with the claims of the validated ID token, and what userinfo tells.
import { createInterface } from "node:readline/promises";
import * as client from "openid-client";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => (await lines.next()).value;
const say = (message) => console.log(JSON.stringify(message));

async function authentication({ method, secret, privateKey }) {
  switch (method) {
    case "none":
      return client.None();
    case "client_secret_basic":
      return client.ClientSecretBasic(secret);
    case "client_secret_post":
      return client.ClientSecretPost(secret);
    case "private_key_jwt": {
      const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
      const key = await crypto.subtle.importKey("jwk", privateKey, algorithm, false, ["sign"]);
      return client.PrivateKeyJwt({ key, kid: privateKey.kid });
    }
    default:
      throw new Error(`There is no method ${method}.`);
  }
}

const asked = JSON.parse(await read());
const configuration = await client.discovery(
  new URL(asked.issuer),
  asked.clientId,
  undefined,
  await authentication(asked),
  { execute: [client.allowInsecureRequests] }, // the stack of a test speaks plain http on the loopback
);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const build = asked.pushes ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl;
const url = await build(configuration, {
  redirect_uri: asked.redirectUri,
  scope: "openid email profile",
  login_hint: asked.loginHint,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
  nonce: expectedNonce,
});
say({ url });

const tokens = await client.authorizationCodeGrant(configuration, new URL(await read()), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
say({ claims, userinfo: await client.fetchUserInfo(configuration, tokens.access_token, claims.sub) });
process.exit();
