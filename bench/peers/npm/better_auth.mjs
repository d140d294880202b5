// Better Auth with its SSO plugin: which provider an email address belongs to, as `POST /api/auth/sign-in/sso` answers.
// https://www.better-auth.com/docs/plugins/sso. One provider, in the memory adapter; it prints a line once it listens.

import { createServer } from 'node:http';
import { sso } from '@better-auth/sso';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';

const [port, domain, entra] = process.argv.slice(2);
const tenant = `${entra}/c0c00000-0000-4000-8000-000000000000`;

const provider = {
  id: 'contoso',
  providerId: 'contoso',
  issuer: `${tenant}/v2.0`,
  domain,
  userId: 'nobody',
  oidcConfig: JSON.stringify({
    issuer: `${tenant}/v2.0`,
    clientId: 'bench',
    clientSecret: 'never used',
    pkce: true,
    authorizationEndpoint: `${tenant}/oauth2/v2.0/authorize`,
    tokenEndpoint: `${tenant}/oauth2/v2.0/token`,
    jwksEndpoint: `${tenant}/discovery/v2.0/keys`,
    discoveryEndpoint: `${tenant}/v2.0/.well-known/openid-configuration`,
  }),
};

const auth = betterAuth({
  baseURL: `http://localhost:${port}`,
  secret: 'the secret of the bench, long enough for anybody',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [], ssoProvider: [provider] }),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  trustedOrigins: [entra],
  plugins: [sso()],
});

createServer(toNodeHandler(auth)).listen(Number(port), '127.0.0.1', () => console.log('ready'));
