import { open, readFile } from 'node:fs/promises'
import { z } from 'zod'
import { EddsaAnchorVerifier, type PublicKey } from '../adapters/signing-eddsa/eddsa-anchors.ts'
import { EddsaChallengeSigner } from '../adapters/signing-eddsa/eddsa-challenge-signer.ts'
import type { SignedAnchor } from '../application/ports/trail-anchors.ts'
import { type TrailReport, VerifyTrail } from '../application/trail/verify-trail.ts'
import { withStorage } from '../composition/tooling.ts'
import { loadDatabaseLocation, loadSigningKeys } from '../config/read-config.ts'
import { aligned, type Output, print } from './terminal.ts'

export interface VerifyTrailOptions extends Output {
  /** A file with lines of the log. */
  readonly anchors?: string
  /** A JWK Set. */
  readonly keys?: string
}

const JwkSet = z.object({
  keys: z.array(
    z.looseObject({ kid: z.string(), kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
  ),
})

const AnchorLine = z.object({
  msg: z.literal('trail anchored'),
  anchor: z.object({
    number: z.int(),
    firstId: z.int(),
    lastId: z.int(),
    events: z.int(),
    digest: z.string(),
    previous: z.string(),
    signedAt: z.iso.datetime().transform((text) => new Date(text)),
    keyId: z.string(),
    signature: z.string(),
  }),
})

/** Verifies the whole audit trail. Returns 1 if something was changed, added or taken out. */
export async function verifyTrail({ anchors, keys, ...output }: VerifyTrailOptions): Promise<number> {
  const publicKeys = await readPublicKeys(keys)
  const kept = anchors === undefined ? [] : await readAnchors(anchors)
  const verifier = publicKeys.length > 0 ? new EddsaAnchorVerifier(publicKeys) : undefined
  return withStorage(loadDatabaseLocation(), ({ withTrail, clock }) =>
    withTrail(async (snapshot) => {
      const report = await new VerifyTrail(snapshot, verifier, clock.now()).execute(kept)
      const signaturesChecked = verifier !== undefined
      const document = {
        ...report,
        anchoredAt: report.anchoredAt ?? null,
        signaturesChecked,
        anchorsInFile: kept.length,
      }
      print(document, textOf(report, signaturesChecked, kept.length), output)
      return report.problemCount === 0 ? 0 : 1
    }),
  )
}

/** Those of `SIGNING_KEYS`, and those in the file: anchors of a year name keys that are retired by now. */
async function readPublicKeys(file: string | undefined): Promise<readonly PublicKey[]> {
  const signingKeys = loadSigningKeys()
  const active = signingKeys ? new EddsaChallengeSigner(signingKeys).publicKeys().keys : []
  if (file === undefined) return active as readonly PublicKey[]
  const parsed = JwkSet.safeParse(parsedJson(await readFile(file, 'utf8')))
  if (!parsed.success)
    throw new Error(`${file} is no JWK Set with keys for EdDSA, as /.well-known/jwks.json is`)
  return [...(parsed.data.keys as readonly PublicKey[]), ...(active as readonly PublicKey[])]
}

async function readAnchors(file: string): Promise<readonly SignedAnchor[]> {
  const anchors: SignedAnchor[] = []
  await using handle = await open(file)
  for await (const line of handle.readLines()) {
    if (!line.includes('trail anchored')) continue
    // A collector of logs may have put something in front.
    const parsed = AnchorLine.safeParse(parsedJson(line.slice(line.indexOf('{'))))
    if (parsed.success) anchors.push(parsed.data.anchor)
  }
  if (anchors.length === 0) throw new Error(`${file} has no line "trail anchored" of the log`)
  return anchors
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function textOf(report: TrailReport, signaturesChecked: boolean, inFile: number): string {
  const { events, eventsFromBefore, subjects, anchors, anchoredAt, purgedTo, problemCount, problems } = report
  const signatures = signaturesChecked
    ? 'signatures checked'
    : 'signatures not checked: set SIGNING_KEYS, or use --keys'
  const rows = [
    ['events', `${events} in the chains of ${subjects} subjects`],
    ...(eventsFromBefore > 0
      ? [['', `${eventsFromBefore} from before the chains, which nothing protects`]]
      : []),
    ...(purgedTo > 0 ? [['purged', `every event up to ${purgedTo}`]] : []),
    [
      'anchors',
      anchors === 0 ? 'none' : `${anchors}, the newest of ${anchoredAt!.toISOString()}; ${signatures}`,
    ],
    ...(inFile > 0 ? [['', `${inFile} in the file`]] : []),
  ]
  const verdict =
    problemCount === 0
      ? ['The trail is whole.']
      : [
          `${problemCount} ${problemCount === 1 ? 'problem' : 'problems'}:`,
          ...problems.map((problem) => `  ${problem}`),
          ...(problemCount > problems.length ? [`  … and ${problemCount - problems.length} more`] : []),
        ]
  return [aligned(rows), '', ...verdict].join('\n')
}
