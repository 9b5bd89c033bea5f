import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { pino } from 'pino'
import { challengeRoutes } from '../../src/adapters/http-koa/challenges/routes.ts'
import { documentationRoutes } from '../../src/adapters/http-koa/documentation/routes.ts'
import { Authentication } from '../../src/adapters/http-koa/edge/authentication.ts'
import { createHttpServer, type EdgeLimits } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'
import { Readiness } from '../../src/adapters/http-koa/edge/readiness.ts'
import type { RequestObserver, RequestTraces } from '../../src/adapters/http-koa/edge/request-log.ts'
import { serviceRoutes } from '../../src/adapters/http-koa/service/routes.ts'
import { serviceEventRoutes } from '../../src/adapters/http-koa/service-events/routes.ts'
import { totpEmailRoutes } from '../../src/adapters/http-koa/totp-email/routes.ts'
import { userRoutes } from '../../src/adapters/http-koa/users/routes.ts'
import { BasicCredentials } from '../../src/adapters/http-koa/webhooks/postmark/basic-credentials.ts'
import { postmarkWebhookRoutes } from '../../src/adapters/http-koa/webhooks/postmark/routes.ts'
import { EddsaChallengeSigner } from '../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import {
  AccessTokenInsufficient,
  AccessTokenRefused,
  type Caller,
} from '../../src/application/ports/access-tokens.ts'
import type { Brand } from '../../src/domain/brand.ts'
import { scenario } from '../application/scenario.ts'
import { POLICY } from '../domain/examples.ts'
import { ask as askAt, type CallInit, call as callAt, type Reply } from '../support/http-call.ts'

/** Tokens that say in plain words who calls: `user.alice` or `client.payments.mfa:challenges:create`. */
const plainTokens = {
  authenticate: async (token: string): Promise<Caller> => {
    const [kind, id, ...scopes] = token.split('.')
    if (kind === 'poor-user') throw new AccessTokenInsufficient('user-scope')
    if (kind === 'user' && id) return { kind, userId: id }
    if (kind === 'client' && id)
      return { kind, clientId: id, scopes: new Set(scopes.map((scope) => scope.replaceAll('_', ':'))) }
    throw new AccessTokenRefused('not one of ours')
  },
}

export const ALICE_TOKEN = 'user.alice'
export const PAYMENTS_TOKEN = 'client.payments.mfa_challenges_create'
export const CRM_TOKEN = 'client.crm.mfa_users_write'
export const WEBHOOK_AUTH = 'postmark:correct-horse-battery'

/** The HTTP edge over the use cases on doubles, listening on a port of its own until the test ends. */
export async function edge(
  t: ExecutionContext,
  {
    policy = POLICY,
    code = undefined as string | undefined,
    readiness = new Readiness([]),
    usersElsewhere = false,
    webhook = true,
    limits = undefined as EdgeLimits | undefined,
    traces = undefined as RequestTraces | undefined,
    brands = undefined as ReadonlyMap<string, Brand> | undefined,
  } = {},
) {
  const useCases = await scenario({ policy, code, brands })
  const logLines: Record<string, unknown>[] = []
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logLines.push(JSON.parse(line)) })
  const answered: Parameters<RequestObserver['answered']>[0][] = []
  const authentication = new Authentication(plainTokens)
  const server = createHttpServer(
    [
      totpEmailRoutes(authentication, useCases, policy),
      challengeRoutes(authentication, useCases),
      userRoutes(authentication, {
        ...useCases,
        ...(usersElsewhere && { putUser: undefined }),
      }),
      serviceEventRoutes(authentication, useCases),
      ...(webhook ? [postmarkWebhookRoutes(new BasicCredentials(WEBHOOK_AUTH), useCases, logger)] : []),
      serviceRoutes(readiness, new EddsaChallengeSigner([{ id: 's1', bytes: Buffer.alloc(32, 7) }])),
      documentationRoutes(),
    ],
    new InFlightRequests(),
    logger,
    { observer: { answered: (request) => void answered.push(request) }, traces },
    limits,
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo

  const url = `http://127.0.0.1:${port}`
  const call = (method: string, path: string, init?: CallInit) => callAt(url, method, path, init)
  const ask = (method: string, path: string, init?: CallInit) => askAt(url, method, path, init)

  const path = (challengeId: string, action: string) => `/internal/v1/mfa/totp-email/${challengeId}:${action}`
  return {
    ...useCases,
    ...{ call, ask, port, logLines, answered },
    initiate: (challengeId: string, token = ALICE_TOKEN) =>
      call('POST', path(challengeId, 'initiate'), { token }),
    verifyJson: (challengeId: string, json: unknown, token = ALICE_TOKEN) =>
      call('POST', path(challengeId, 'verify'), { token, json }),
  }
}

const FAMILY = { totp: 'urn:plmr:mfa-totp:api', challenge: 'urn:plmr:mfa-challenge:api' }

/** Checks that a reply is an error of the contract, whole and nothing besides. */
export function isError(
  t: ExecutionContext,
  reply: Reply,
  status: number,
  code: string,
  {
    family = 'totp' as keyof typeof FAMILY,
    fields = [] as readonly (readonly [field: string, code: string])[],
  } = {},
): void {
  t.is(reply.status, status)
  t.is(reply.body?.code, `${FAMILY[family]}:${code}`)
  t.true(typeof reply.body.message === 'string' && reply.body.message !== '')
  t.is(reply.body.requestId, reply.headers.get('X-Request-ID'))
  t.regex(reply.headers.get('Content-Type') ?? '', /^application\/json/)
  t.is(reply.headers.get('Cache-Control'), 'no-store')
  const keys = ['code', 'message', 'requestId', ...(fields.length > 0 ? ['fieldErrors'] : [])]
  t.deepEqual(Object.keys(reply.body), keys)
  t.deepEqual(
    (reply.body.fieldErrors ?? []).map((error: { field: string; code: string }) => [error.field, error.code]),
    fields.map(([field, fieldCode]) => [field, `${FAMILY[family]}:${fieldCode}`]),
  )
}
