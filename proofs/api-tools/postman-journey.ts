/* The parts of a Postman collection that are used here. */

export interface Collection {
  readonly info: object
  readonly variable: readonly { readonly key: string; readonly value: string }[]
  readonly item: readonly Item[]
}

interface Item {
  readonly name: string
  readonly item?: readonly Item[]
  readonly request?: {
    readonly url: { readonly query?: readonly { readonly key: string; readonly value: string }[] }
    readonly header: readonly { readonly key: string; readonly value: string }[]
    readonly body?: { readonly raw: string }
  }
  readonly event?: readonly object[]
}

interface Step {
  readonly name: string
  /** The summary of the operation, which is the name of its request in the collection. */
  readonly operation: string
  readonly status: number
  /** What a person would type over the examples of the document. */
  readonly body?: (example: Record<string, unknown>) => object
  readonly headers?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  /** Lines of a script that runs after the answer. */
  readonly after?: readonly string[]
}

const TOKEN = 'Get an access token for any user or service'
const KEEP_TOKEN = "pm.environment.set('bearerToken', pm.response.json().access_token)"
/** The challenge's id is a variable of the collection, and one of the environment comes first. */
const KEEP_CHALLENGE = [
  "pm.environment.set('challengeId', pm.response.json().challengeId)",
  "pm.environment.set('signature', pm.response.json().signature)",
]
const tokenFor = (name: string, request: object): Step => ({
  ...{ name, operation: TOKEN, status: 200, body: () => request, after: [KEEP_TOKEN] },
})
const PAYMENTS = { client_id: 'payments', scope: 'mfa:challenges:create mfa:challenges:consume' }

const STEPS: readonly Step[] = [
  tokenFor('token of the directory’s owner', { client_id: 'crm', scope: 'mfa:users:write' }),
  { name: 'add the user', operation: 'Add or replace a user', status: 201 },
  tokenFor('token of the payments', PAYMENTS),
  {
    ...{ name: 'open', operation: 'Demand a countersignature', status: 201 },
    after: KEEP_CHALLENGE,
  },
  tokenFor('token of the user', { sub: 'alice' }),
  { name: 'initiate', operation: 'Ask for a code by mail', status: 204 },
  {
    ...{ name: 'read the mail', operation: 'Read the mails that were sent', status: 200 },
    query: { to: 'alice@example.com' },
    after: [
      'const mail = pm.response.json()[0]',
      'const code = mail && /(?<![0-9])[0-9]{6}(?![0-9])/.exec(mail.text)',
      "if (code) pm.environment.set('totp', code[0])",
      "else pm.execution.setNextRequest('read the mail')",
    ],
  },
  {
    ...{ name: 'verify', operation: 'Verify with the mailed code', status: 204 },
    body: () => ({ totp: '{{totp}}' }),
  },
  tokenFor('token of the payments again', PAYMENTS),
  {
    ...{ name: 'consume', operation: 'Use the approval, once', status: 200 },
    body: (example) => ({ ...example, signature: '{{signature}}' }),
  },
  {
    ...{ name: 'open another', operation: 'Demand a countersignature', status: 201 },
    headers: { 'plmr-idempotency-key': 'transfer-4712' },
    after: KEEP_CHALLENGE,
  },
  { name: 'cancel', operation: 'Cancel a challenge', status: 204 },
]

/** The names of the requests, in their order. */
export const REQUESTS = STEPS.map(({ name }) => name)

/**
 * A journey as a person clicks it together from a converted collection: the requests as they are, with the examples of the
 * document, and only what differs each time typed over.
 */
export function postmanJourney(converted: Collection): Collection {
  const requests = new Map(itemsIn(converted.item).map((item) => [item.name, item]))
  return {
    ...converted,
    item: STEPS.map((step) => {
      const item = requests.get(step.operation)
      if (!item) throw new Error(`the collection has no request ${step.operation}`)
      return stepOf(item, step)
    }),
  }
}

function itemsIn(items: readonly Item[]): readonly Item[] {
  return items.flatMap((each) => (each.item ? itemsIn(each.item) : [each]))
}

function stepOf(
  { request, ...item }: Item,
  { name, status, body, headers = {}, query, after = [] }: Step,
): Item {
  const { header, url } = request!
  const test = [
    `pm.test('${name}', () => pm.response.to.have.status(${status}))`,
    `if (pm.response.code !== ${status}) { console.log(pm.response.text()); pm.execution.setNextRequest(null) }`,
    ...after,
  ]
  return {
    ...item,
    name,
    request: {
      ...request!,
      header: header.map((each) => ({ ...each, value: headers[each.key] ?? each.value })),
      ...(query && {
        url: {
          ...url,
          query: (url.query ?? []).flatMap((each) =>
            query[each.key] === undefined ? [] : [{ ...each, value: query[each.key]! }],
          ),
        },
      }),
      ...(body && {
        body: { ...request!.body!, raw: JSON.stringify(body(JSON.parse(request!.body!.raw))) },
      }),
    },
    event: [{ listen: 'test', script: { type: 'text/javascript', exec: test } }],
  }
}
