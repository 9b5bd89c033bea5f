import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { PrismaTrailAnchors } from '../../src/adapters/persistence-prisma/audit-trail/prisma-trail-anchors.ts'
import { connectPrisma } from '../../src/adapters/persistence-prisma/connection/connect-prisma.ts'
import { EddsaAnchorSigner } from '../../src/adapters/signing-eddsa/eddsa-anchors.ts'
import { EddsaChallengeSigner } from '../../src/adapters/signing-eddsa/eddsa-challenge-signer.ts'
import { AnchorTrail } from '../../src/application/trail/anchor-trail.ts'
import { createTestDatabase, query } from '../support/database.ts'
import { countersign } from './command.ts'

const KEY = { id: 's1', bytes: randomBytes(32) }
const SIGNING_KEYS = `s1:${KEY.bytes.toString('base64')}`
const AS_OWNER = 'SET session_replication_role = replica'

test('trail verify says whether the trail is whole, and what is not', async (t) => {
  const { url } = await createTestDatabase()
  const { prisma, close } = connectPrisma({ url, onConnectionLost: () => {} })
  t.teardown(close)
  const folder = await mkdtemp(join(tmpdir(), 'countersign-trail-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const [log, jwks] = [join(folder, 'service.log'), join(folder, 'jwks.json')]
  const anchoring = new AnchorTrail(
    new PrismaTrailAnchors(prisma),
    new EddsaAnchorSigner([KEY]),
    { verify: () => 'genuine' },
    { now: () => new Date() },
  )
  await anchoring.execute()
  await query(
    url,
    `INSERT INTO challenge_events (subject_user_id, type, occurred_at, actor, details)
     SELECT 's' || n % 2, 'user-put', now(), 'service', '{}' FROM generate_series(1, 6) n`,
    AS_OWNER,
    `UPDATE trail_anchors SET hour = hour - interval '1 hour'`,
  )
  const { anchor } = await anchoring.execute()
  const lines = [
    { level: 30, msg: 'request' },
    { level: 30, msg: 'trail anchored', anchor },
  ]
  await writeFile(log, lines.map((line) => `pod-1 ${JSON.stringify(line)}\n`).join(''))
  await writeFile(jwks, JSON.stringify(new EddsaChallengeSigner([KEY]).publicKeys()))
  const verify = (env: Record<string, string>, ...args: string[]) =>
    countersign({ DATABASE_URL: url, ...env }, 'trail', 'verify', ...args)

  const whole = await verify({ SIGNING_KEYS }, '--anchors', log)
  t.is(whole.status, 0, whole.stderr + whole.stdout)
  t.regex(
    whole.stdout,
    /^events {3}6 in the chains of 2 subjects\nanchors {2}2, the newest of \S+Z; signatures checked\n {9}1 in the file\n\nThe trail is whole\.\n$/,
  )
  t.regex((await verify({})).stdout, /signatures not checked: set SIGNING_KEYS, or use --keys/)
  t.like(JSON.parse((await verify({}, '--keys', jwks, '--json')).stdout), {
    ...{ events: 6, subjects: 2, anchors: 2, problemCount: 0, problems: [] },
    ...{ signaturesChecked: true, anchorsInFile: 0 },
  })

  await query(url, AS_OWNER, `UPDATE challenge_events SET actor = 'x' WHERE position = 2`)
  const broken = await verify({ SIGNING_KEYS })
  t.is(broken.status, 1)
  t.regex(
    broken.stdout,
    /\n\n3 problems:\n(?: {2}event \d+ was changed, or event \d+, which follows it\n){2} {2}the events from/,
  )

  const other = await verify({ SIGNING_KEYS: `s1:${randomBytes(32).toString('base64')}` })
  t.regex(other.stdout, /the signature of anchor 1 is wrong/)

  for (const [file, problem] of [
    [['--anchors', jwks], /no line "trail anchored"/],
    [['--keys', log], /no JWK Set/],
    [['--keys', join(folder, 'nowhere')], /ENOENT/],
  ] as const) {
    const { status, stderr } = await verify({}, ...file)
    t.is(status, 1)
    t.regex(stderr, problem)
  }
})
