// panva's oidc-provider: the authorization code flow, its memory adapter, and a login of its own in place of an upstream.
// https://github.com/panva/node-oidc-provider/tree/main/docs: `interactions`, `loadExistingGrant`, `findAccount`.
// It prints a line once it listens.

import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

const [port, clientId, redirectUri] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId,
    redirect_uris: [redirectUri],
    token_endpoint_auth_method: 'none',
    response_types: ['code'],
    grant_types: ['authorization_code'],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ['sub'], email: ['email'], profile: ['name'] },
  features: { devInteractions: { enabled: false } },
  findAccount: (_, email) => ({ accountId: email, claims: () => ({ sub: email, email, name: email }) }),
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  // The applications are the vendor's own: nobody is asked for consent.
  async loadExistingGrant({ oidc }) {
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

const page = '<!doctype html><title>Sign in</title><form method="post"><input name="email"><input name="password" '
  + 'type="password"><button name="action" value="sign_in">Sign in</button></form>';
const serve = provider.callback();

createServer(async (request, response) => {
  if (!request.url.startsWith('/login/')) return serve(request, response);
  if (request.method === 'GET') return response.setHeader('Content-Type', 'text/html').end(page);
  let form = '';
  for await (const chunk of request) form += chunk;
  const accountId = new URLSearchParams(form).get('email');
  return provider.interactionFinished(request, response, { login: { accountId } });
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
