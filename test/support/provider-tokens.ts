import type { TokenProvider } from '../../src/adapters/identity-jose/token-profiles.ts'

type Claims = Readonly<Record<string, unknown>>

/** The tokens of one provider, as its documentation and its users show them. A claim that is undefined is left out. */
interface ProviderTokens {
  readonly client: string
  /** The id by which Countersign knows the user of `user`. */
  readonly userId: string
  readonly audience: string
  readonly service: (...scopes: string[]) => Claims
  /** A user's token, as near to a service's as the provider lets a user come. */
  readonly user: (...scopes: string[]) => Claims
}

const SERVICE_ACCOUNT = 'b6cc7aa0-1af0-460e-9174-e05c881fb6d4'
const USER = '5b1a4c1e-7d0f-4e5b-9a43-0c9be2f1a001'
const APP = '11111111-2222-3333-4444-555555555555'
const PRINCIPAL = '7d8a2b9c-0f1e-4d3c-8b7a-6f5e4d3c2b1a'
const AUTH0_CLIENT = 'Zk3mPq7RtXw2Yb9Lc4Nd8Vf1Hg6Js0Ae'
const OKTA_CLIENT = '0oa8acv8gbBPRCZ7I5d7'
const OKTA_USER = '00ue9mlzk7eW24e8Y0h7'
const COGNITO_CLIENT = '57cbishk4j24pabc1234567890'

export const PROVIDER_TOKENS: Readonly<Record<TokenProvider, ProviderTokens>> = {
  /** RFC 9068 §2.2. */
  generic: {
    client: 'payments',
    userId: 'alice',
    audience: 'countersign',
    service: (...scopes) => ({
      aud: 'countersign',
      sub: 'payments',
      client_id: 'payments',
      scope: scopes.join(' '),
    }),
    user: (...scopes) => ({
      aud: 'countersign',
      sub: 'alice',
      client_id: 'payments',
      scope: scopes.join(' '),
    }),
  },

  /** A service account of Keycloak 22 to 26, without any mapper of one's own but the audience. */
  keycloak: {
    client: 'Payments',
    userId: USER,
    audience: 'countersign',
    service: (...scopes) => ({
      aud: ['countersign', 'account'],
      sub: SERVICE_ACCOUNT,
      typ: 'Bearer',
      azp: 'Payments',
      acr: '1',
      'allowed-origins': ['/*'],
      realm_access: { roles: ['offline_access', 'uma_authorization', 'default-roles-bank'] },
      scope: ['email', 'profile', ...scopes].join(' '),
      clientHost: '172.17.0.1',
      clientAddress: '172.17.0.1',
      email_verified: false,
      preferred_username: 'service-account-payments',
      client_id: 'Payments',
    }),
    user: (...scopes) => ({
      aud: ['countersign', 'account'],
      sub: USER,
      typ: 'Bearer',
      azp: 'Payments',
      sid: 'c2f9d1f0-9d0e-4a3b-9b54-1c6f0b7f8e11',
      acr: '1',
      realm_access: { roles: ['default-roles-bank'] },
      scope: ['openid', 'email', 'profile', ...scopes].join(' '),
      preferred_username: 'service-account-payments',
      client_id: undefined,
    }),
  },

  auth0: {
    client: AUTH0_CLIENT,
    userId: 'auth0|6553da60a54af58e29493993',
    audience: 'https://countersign.bank.example',
    service: (...scopes) => ({
      sub: `${AUTH0_CLIENT}@clients`,
      aud: 'https://countersign.bank.example',
      azp: AUTH0_CLIENT,
      client_id: undefined,
      scope: scopes.join(' '),
      gty: 'client-credentials',
    }),
    user: (...scopes) => ({
      sub: 'auth0|6553da60a54af58e29493993',
      aud: ['https://countersign.bank.example', 'https://bank.eu.auth0.com/userinfo'],
      azp: AUTH0_CLIENT,
      client_id: undefined,
      scope: ['openid', 'profile', ...scopes].join(' '),
      permissions: scopes,
    }),
  },

  /** A custom authorization server. */
  okta: {
    client: OKTA_CLIENT,
    userId: OKTA_USER,
    audience: 'api://countersign',
    service: (...scopes) => ({
      ver: 1,
      jti: 'AT.EmHCGDFHE18hC5j3stjbarVonh46twW7tWutB9v8hsw',
      aud: 'api://countersign',
      cid: OKTA_CLIENT,
      client_id: undefined,
      scope: undefined,
      scp: scopes,
      sub: OKTA_CLIENT,
    }),
    user: (...scopes) => ({
      ver: 1,
      jti: 'AT.xtjhr8FeMkyMfgLiFzVYOYPbgqWdd6ONULT3ffeK7d4',
      aud: 'api://countersign',
      cid: OKTA_CLIENT,
      client_id: undefined,
      scope: undefined,
      uid: OKTA_USER,
      scp: ['openid', ...scopes],
      auth_time: 1_893_456_000,
      sub: OKTA_CLIENT,
    }),
  },

  /** Version 2.0, with the optional claim `idtyp`. */
  entra: {
    client: APP,
    userId: USER,
    audience: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
    service: (...scopes) => ({
      aud: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
      azp: APP,
      azpacr: '1',
      client_id: undefined,
      scope: undefined,
      idtyp: 'app',
      oid: PRINCIPAL,
      sub: PRINCIPAL,
      roles: scopes,
      tid: '3f2e1d0c-9b8a-4756-8493-a2b1c0d9e8f7',
      ver: '2.0',
    }),
    user: (...scopes) => ({
      aud: '0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d',
      azp: APP,
      azpacr: '1',
      client_id: undefined,
      scope: undefined,
      oid: USER,
      sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
      scp: undefined,
      roles: scopes,
      tid: '3f2e1d0c-9b8a-4756-8493-a2b1c0d9e8f7',
      ver: '2.0',
    }),
  },

  cognito: {
    client: COGNITO_CLIENT,
    userId: USER,
    audience: 'countersign',
    service: (...scopes) => ({
      aud: undefined,
      sub: COGNITO_CLIENT,
      token_use: 'access',
      scope: scopes.map((scope) => `countersign/${scope}`).join(' '),
      auth_time: 1_893_456_000,
      version: 2,
      client_id: COGNITO_CLIENT,
    }),
    user: (...scopes) => ({
      aud: undefined,
      sub: USER,
      token_use: 'access',
      'cognito:groups': ['admin'],
      scope: ['openid', ...scopes.map((scope) => `countersign/${scope}`)].join(' '),
      auth_time: 1_893_456_000,
      version: 2,
      client_id: COGNITO_CLIENT,
      username: 'janedoe',
    }),
  },
}

export const PROVIDERS = Object.keys(PROVIDER_TOKENS) as readonly TokenProvider[]
