import addressparser from 'nodemailer/lib/addressparser'
import { z } from 'zod'
import { parseUnambiguous, RepeatedMember } from '../contracts/unambiguous-json.ts'
import { IDENTITY } from '../domain/identity.ts'
import { MAIL_LANGUAGES } from '../domain/mail-language.ts'
import { appOrigin, bounceDomain, mailbox, url, withoutUserInfo } from './formats.ts'

/** The name of a sender, as mails show it. */
export const brandName = z
  .string('must be a text')
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u, 'must be one line of at most 60 printable characters')

export const brandColor = z
  .string('must be a text')
  .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour, as in #0f4c5c')

export const brandLogo = url(['https:']).refine(withoutUserInfo, 'must not hold a user or password')

const LANGUAGE = z.enum(MAIL_LANGUAGES, `must be languages of the mails: ${MAIL_LANGUAGES.join(', ')}`)

/** What a client may have of its own. */
const ClientBrand = z.strictObject({
  name: brandName,
  color: brandColor.optional(),
  logoUrl: brandLogo.optional(),
  from: mailbox.optional(),
  replyTo: mailbox.optional(),
  bounceDomain: bounceDomain.optional(),
  languages: z
    .tuple([LANGUAGE], LANGUAGE, 'must be a list with a language, or be left out')
    .refine((languages) => new Set(languages).size === languages.length, 'must name each language once')
    .optional(),
  appOrigin: appOrigin.optional(),
})

/** The brands of clients, by client id. */
export type ClientBrands = ReadonlyMap<string, z.output<typeof ClientBrand>>

const FORM = 'must be a JSON object with one member for each client, as in {"payments-b":{"name":"Bank B"}}'

/** One brand for each client that has one of its own, as JSON. A message names the client and the member, and no value. */
export const brands = z.string().transform((text, context): ClientBrands => {
  const problem = (message: string) => context.addIssue({ code: 'custom', message })
  const given = membersOf(text)
  if (typeof given === 'string') {
    problem(given)
    return z.NEVER
  }
  const read: [string, z.output<typeof ClientBrand>][] = []
  for (const [clientId, members] of given) {
    const of = `of ${JSON.stringify(clientId.slice(0, 80))}:`
    if (!IDENTITY.test(clientId)) problem(`${of} the id of a client has 1 to 255 visible ASCII characters`)
    const brand = ClientBrand.safeParse(members)
    if (brand.success) read.push([clientId, brand.data])
    else
      for (const message of brand.error.issues.flatMap((each) => messagesOf(each, members)))
        problem(`${of} ${message}`)
  }
  return new Map(read)
})

/** The members of the object, or what is wrong with it. */
function membersOf(text: string): readonly [string, unknown][] | string {
  try {
    const parsed = parseUnambiguous(text)
    return isObject(parsed) ? Object.entries(parsed) : FORM
  } catch (error) {
    if (error instanceof RepeatedMember) return `has a member twice: ${error.path.join('.').slice(0, 160)}`
    return FORM
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function messagesOf(issue: z.core.$ZodIssue, members: unknown): readonly string[] {
  const [member] = issue.path
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(
      (key) => `${key.slice(0, 80)} is not a member of a brand: ${Object.keys(ClientBrand.shape).join(', ')}`,
    )
  }
  if (member === undefined) return ['must be an object with a name']
  if (member === 'name' && !Object.hasOwn(members as object, 'name')) return ['name is not set']
  return [`${String(member)} ${issue.message}`]
}

/** The sender of a brand that has no address of its own: the given one, under the name of the brand. */
export function renamed(sender: string, name: string): string {
  const [mailbox] = addressparser(sender)
  return `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}" <${mailbox!.address}>`
}

/** The domain of a mailbox, in lower case. */
export function domainOf(sender: string): string {
  const address = addressparser(sender)[0]?.address ?? ''
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase()
}
