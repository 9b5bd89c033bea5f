import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codeIn, type Mail, randomDigest, until, wrongCode } from '../../test/journeys/client.ts'
import { WEBHOOK_AUTH } from './fuzzed-service.ts'

/** Makes a documented request. @throws {Error} if the answer is not in the document. */
export type Ask = (
  method: string,
  path: string,
  init?: {
    readonly token?: string
    readonly json?: unknown
    readonly headers?: Readonly<Record<string, string>>
  },
) => Promise<Answered>

interface Answered {
  readonly status: number
  readonly headers: Headers
  /** The body, as received. */
  readonly body: string
}

/** Real values of the service, so that requests get past the first checks. */
export interface World {
  readonly services: Services
  readonly people: readonly Person[]
  readonly scenes: readonly Scene[]
  /** The ETags of cacheable resources, by path. */
  readonly tags: readonly string[]
  /** Roughly the time of its creation. */
  readonly now: string
}

/** Tokens of programs. */
export interface Services {
  /** Has every scope, and has opened all challenges. */
  readonly payments: string
  /** Has every scope, but has opened none of the challenges. */
  readonly cards: string
  readonly withoutScope: string
}

export interface Person {
  readonly userId: string
  /** Its local part occurs nowhere else. */
  readonly address: string
  readonly token: string
}

/** A challenge, its state at the start, and everything that its parties know. */
export interface Scene {
  readonly state: string
  readonly challengeId: string
  readonly person: Person
  readonly signature: string
  readonly digest: string
  readonly openKey: string
  readonly demand: object
  /** The newest code in a mail about it. */
  readonly code: string | undefined
  readonly issuanceId: string
  readonly consumeKey: string
}

const SCOPES = [
  ...['mfa:challenges:create', 'mfa:challenges:consume', 'mfa:audit:read'],
  ...['mfa:users:read', 'mfa:users:write', 'mfa:users:export', 'mfa:support:read', 'mfa:support:write'],
].join(' ')
const MFA = '/internal/v1/mfa'
const WRONG_CODES_TO_A_LOCK = 5

export async function hireServices(ask: Ask): Promise<Services> {
  const [payments, cards, withoutScope] = await Promise.all([
    tokenOf(ask, { client_id: 'payments', scope: SCOPES }),
    tokenOf(ask, { client_id: 'cards', scope: SCOPES }),
    tokenOf(ask, { client_id: 'statements', scope: '' }),
  ])
  return { payments, cards, withoutScope }
}

/** Makes challenges in every possible state. */
export async function makeWorld(ask: Ask, mailFolder: string, services: Services): Promise<World> {
  // A full mailbox is slow to read, and its mails belong to a world that is over.
  await emptyMailbox(mailFolder)
  const stage = new Stage(ask, services)
  const [ann, ben, cleo, dan, eve, finn] = await Promise.all(Array.from({ length: 6 }, () => stage.person()))

  const scenes = await Promise.all([
    stage.open('pending', ann!),
    stage.open('issued', ann!).then((scene) => stage.issue(scene)),
    stage.open('issued', ben!).then((scene) => stage.issue(scene)),
    stage.open('issued twice', ben!).then(async (scene) => stage.issue(await stage.issue(scene))),
    stage.open('verified', cleo!).then((scene) => stage.verify(scene)),
    stage.open('verified', cleo!).then((scene) => stage.verify(scene)),
    stage.open('consumed', cleo!).then((scene) => stage.consume(scene)),
    stage.open('cancelled', dan!).then((scene) => stage.cancel(scene)),
    stage.open('expired', dan!, { expiresInSeconds: 1 }),
    stage.open('exhausted, subject locked', eve!).then((scene) => stage.exhaust(scene)),
    stage.open('subject locked', eve!),
    stage.open('address suppressed', finn!).then((scene) => stage.bounce(scene)),
  ])
  const tags = await Promise.all(
    ['/openapi.json', '/docs', '/docs/show-api.js'].map(async (path) => (await stage.read(path)) ?? ''),
  )
  return {
    services,
    people: [ann!, ben!, cleo!, dan!, eve!, finn!],
    scenes,
    tags,
    now: new Date().toISOString(),
  }
}

/** A user with a new id and address in the directory. */
export async function settlePerson(ask: Ask, services: Services): Promise<Person> {
  const userId = `u ${randomUUID()}`
  const address = `zq.${randomUUID().slice(-12)}@zq.example`
  await ask('PUT', `${MFA}/users/${encodeURIComponent(userId)}`, {
    token: services.payments,
    json: { email: address, locale: 'en' },
  })
  return { userId, address, token: await tokenOf(ask, { sub: userId }) }
}

/** A challenge for one of them. Its mails name it, as `mailsOf` needs. */
export async function openScene(
  ask: Ask,
  services: Services,
  state: string,
  person: Person,
  more: object = {},
): Promise<Scene> {
  const [openKey, digest] = [randomUUID(), randomDigest()]
  const demand = {
    subjectUserId: person.userId,
    operation: { type: 'payments.initiate', digest, summary: [{ label: 'Order', value: markOf(digest) }] },
    ...more,
  }
  const headers = { 'plmr-idempotency-key': openKey }
  const reply = await ask('POST', `${MFA}/challenges`, {
    token: services.payments,
    headers,
    json: demand,
  })
  const { challengeId, signature } = JSON.parse(expectStatus(201, reply).body)
  return {
    ...{ state, challengeId, person, signature, digest, openKey, demand },
    ...{ code: undefined, issuanceId: randomUUID(), consumeKey: randomUUID() },
  }
}

/** The mails about a challenge so far, newest first. */
export async function mailsOf(ask: Ask, { person, digest }: Scene): Promise<readonly Mail[]> {
  const { body } = await ask('GET', `/dev/mailbox?to=${encodeURIComponent(person.address)}`)
  return (JSON.parse(body) as Mail[]).filter(({ text }) => text.includes(markOf(digest)))
}

export const pathOf = ({ challengeId }: Pick<Scene, 'challengeId'>, action: 'initiate' | 'verify') =>
  `${MFA}/totp-email/${challengeId}:${action}`

/** Without digits that could look like a code. */
function markOf(digest: string): string {
  return `order ${digest.replaceAll(/[^A-Za-z]/g, '')}`
}

class Stage {
  readonly #ask: Ask
  readonly #services: Services

  constructor(ask: Ask, services: Services) {
    this.#ask = ask
    this.#services = services
  }

  person(): Promise<Person> {
    return settlePerson(this.#ask, this.#services)
  }

  open(state: string, person: Person, more: object = {}): Promise<Scene> {
    return openScene(this.#ask, this.#services, state, person, more)
  }

  async issue(scene: Scene): Promise<Scene> {
    const before = (await mailsOf(this.#ask, scene)).length
    expectStatus(204, await this.#act(pathOf(scene, 'initiate'), scene.person.token))
    const [newest] = await until(
      () => mailsOf(this.#ask, scene),
      (mails) => mails.length > before,
    )
    return { ...scene, code: codeIn(newest!), issuanceId: await this.#issuanceOf(scene) }
  }

  async verify(opened: Scene): Promise<Scene> {
    const scene = await this.issue(opened)
    expectStatus(204, await this.#act(pathOf(scene, 'verify'), scene.person.token, { totp: scene.code }))
    return scene
  }

  async consume(opened: Scene): Promise<Scene> {
    const scene = await this.verify(opened)
    const { challengeId, signature, digest, consumeKey } = scene
    const path = `${MFA}/challenges/${challengeId}:consume`
    const headers = { 'plmr-idempotency-key': consumeKey }
    expectStatus(200, await this.#act(path, this.#services.payments, { signature, digest }, headers))
    return scene
  }

  async cancel(scene: Scene): Promise<Scene> {
    expectStatus(204, await this.#act(`${MFA}/challenges/${scene.challengeId}:cancel`, scene.person.token))
    return scene
  }

  async exhaust(opened: Scene): Promise<Scene> {
    const scene = await this.issue(opened)
    for (let guess = 0; guess < WRONG_CODES_TO_A_LOCK; guess++) {
      const json = { totp: wrongCode(scene.code!) }
      expectStatus(400, await this.#act(pathOf(scene, 'verify'), scene.person.token, json))
    }
    return scene
  }

  async bounce(opened: Scene): Promise<Scene> {
    const scene = await this.issue(opened)
    const headers = { Authorization: `Basic ${Buffer.from(WEBHOOK_AUTH).toString('base64')}` }
    const json = {
      ...{ RecordType: 'Bounce', Type: 'HardBounce', BouncedAt: new Date().toISOString() },
      Metadata: { issuance: scene.issuanceId },
    }
    expectStatus(200, await this.#ask('POST', '/webhooks/postmark', { headers, json }))
    return scene
  }

  /** The ETag of a resource. */
  async read(path: string): Promise<string | null> {
    return (await this.#ask('GET', path)).headers.get('ETag')
  }

  #act(path: string, token: string, json?: object, headers: Record<string, string> = {}): Promise<Answered> {
    return this.#ask('POST', path, { token, headers, ...(json && { json }) })
  }

  /** The id of the newest issuance, which only the trail contains. */
  async #issuanceOf({ challengeId }: Scene): Promise<string> {
    const token = this.#services.payments
    const { body } = await this.#ask('GET', `${MFA}/challenges/${challengeId}/events`, { token })
    const issued = (JSON.parse(body).events as { type: string; details: { issuanceId: string } }[]).findLast(
      ({ type }) => type === 'otp-issued',
    )
    return issued!.details.issuanceId
  }
}

function expectStatus(expected: number, reply: Answered): Answered {
  if (reply.status !== expected) {
    throw new Error(`${expected} was expected: ${reply.status} ${reply.body}`)
  }
  return reply
}

async function tokenOf(ask: Ask, json: object): Promise<string> {
  return JSON.parse((await ask('POST', '/dev/token', { json })).body).access_token
}

async function emptyMailbox(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(names.map((name) => rm(join(folder, name), { force: true })))
}
