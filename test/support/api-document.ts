import { readFileSync } from 'node:fs'
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** A request and its answer, as sent. */
export interface Exchange {
  readonly method: string
  /** With its query. Empty if the request was not readable. */
  readonly path: string
  readonly request: { readonly headers: Headers; readonly body: string | undefined }
  readonly response: { readonly status: number; readonly headers: Headers; readonly body: string }
}

/* The parts of the document that are checked. */

export interface Document {
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly 'x-countersign-unmatched': Readonly<Record<string, Answer>>
}

export interface Operation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly security?: readonly Readonly<Record<string, unknown>>[]
  readonly parameters?: readonly Reference<Parameter>[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, Reference<Answer>>>
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly schema: object
  readonly example?: unknown
}

interface Answer {
  readonly headers?: Readonly<
    Record<string, Reference<{ readonly required?: boolean; readonly schema: object }>>
  >
  readonly content?: Content
}

export type Content = Readonly<
  Record<
    string,
    {
      readonly schema: object
      readonly examples?: Readonly<Record<string, { readonly value: unknown }>>
    }
  >
>

export type Reference<Target> = Target | { readonly $ref: string }

/** Headers that Node and the connection add. The document does not describe them. */
const TRANSPORT_HEADERS = new Set([
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'transfer-encoding',
])
/** Request headers that only this API gives a meaning. */
const OUR_REQUEST_HEADER = /^(?:plmr-|x-request-id$)/
const DOCUMENT = new URL('../../src/adapters/http-koa/openapi.json', import.meta.url)

/** Compares real requests and answers with the API's document. */
export class ApiDocument {
  readonly document: Document
  readonly #values = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, allErrors: true })
  /** For parameters and headers, which are always text: it coerces them to the type of the schema. */
  readonly #texts = new Ajv2020({ strictTypes: false, coerceTypes: true })
  /** Sorted by literal characters, most first: if two templates match a path, the first is meant. */
  readonly #templates: readonly { readonly template: string; readonly pattern: RegExp }[]

  constructor(text: string) {
    // Each schema is compiled alone, so it must refer to other schemas by a name of their own.
    this.document = JSON.parse(text.replaceAll('"#/components/schemas/', '"schema:'))
    for (const ajv of [this.#values, this.#texts]) {
      formats.default(ajv)
      for (const [name, schema] of Object.entries(this.document.components.schemas!)) {
        ajv.addSchema(schema as object, `schema:${name}`)
      }
    }
    this.#templates = Object.keys(this.document.paths)
      .map((template) => ({ template, pattern: patternOf(template) }))
      .toSorted((one, other) => literals(other.template) - literals(one.template))
  }

  /** The document that the service serves. */
  static read(): ApiDocument {
    return new ApiDocument(readFileSync(DOCUMENT, 'utf8'))
  }

  /**
   * Everything in the exchange that the document does not describe. `extras: 'ignored'` leaves out undocumented
   * parameters, for clients that send odd requests on purpose.
   */
  faultsOf(exchange: Exchange, { extras = 'reported' as 'reported' | 'ignored' } = {}): readonly string[] {
    const { method, path, response } = exchange
    const [pathname = '', query = ''] = path.split(/\?(.*)/s)
    const templates = this.#templates.filter(({ pattern }) => pattern.test(pathname))
    const operation = this.operationOf(exchange)
    if (!operation) return this.#unmatchedFaults(exchange, templates)

    const answer = operation.responses[response.status]
    if (!answer) return [`the status ${response.status} of ${operation.operationId} is not documented`]
    const faults = this.#answerFaults(this.resolve(answer), exchange, method === 'HEAD')
    // A refused request may contain anything.
    if (response.status >= 400) return faults
    const values = templates.find(({ template }) => operation === this.#operation(template, method))!
    const inPath = values.pattern.exec(pathname)?.groups ?? {}
    return [
      ...faults,
      ...(extras === 'reported'
        ? this.#extraParameters(operation, exchange, new URLSearchParams(query))
        : []),
      ...this.#requestFaults(operation, exchange, inPath, new URLSearchParams(query)),
    ]
  }

  /** The operation that the request matches. Undefined if it matches no operation. */
  operationOf({ method, path }: Pick<Exchange, 'method' | 'path'>): Operation | undefined {
    const pathname = path.replace(/\?.*/s, '')
    return this.#templates
      .filter(({ pattern }) => pattern.test(pathname))
      .map(({ template }) => this.#operation(template, method))
      .find((operation) => operation !== undefined)
  }

  /** Why a value does not match a schema of the document. */
  faultsOfValue(schema: object, value: unknown): readonly string[] {
    return this.#values.validate(schema, value) ? [] : this.#values.errors!.map(reason)
  }

  /** @throws {TypeError} if the reference has no target. */
  resolve<Target>(target: Reference<Target>): Target {
    if (typeof target !== 'object' || target === null || !('$ref' in target)) return target as Target
    const [, , kind, name] = target.$ref.split('/')
    return this.document.components[kind!]![name!] as Target
  }

  #operation(template: string, method: string): Operation | undefined {
    return this.document.paths[template]?.[method === 'HEAD' ? 'get' : method.toLowerCase()]
  }

  #unmatchedFaults(exchange: Exchange, templates: readonly { readonly template: string }[]) {
    const { status, headers } = exchange.response
    const answer = this.document['x-countersign-unmatched'][status]
    if (!answer) return [`the status ${status} without an operation is not documented`]
    const faults = this.#answerFaults(answer, exchange, exchange.method === 'HEAD')
    if (status !== 405) return faults

    const allowed = templates.flatMap(({ template }) => Object.keys(this.document.paths[template]!))
    const undocumented = methodsIn(headers).filter(
      (name) => !allowed.includes(name === 'HEAD' ? 'get' : name.toLowerCase()),
    )
    return [...faults, ...undocumented.map((name) => `Allow names ${name}, which is not documented`)]
  }

  #answerFaults(answer: Answer, { response }: Exchange, withoutBody: boolean): readonly string[] {
    const documented = Object.entries(answer.headers ?? {}).map(
      ([name, header]) => [name.toLowerCase(), this.resolve(header)] as const,
    )
    const names = new Set(documented.map(([name]) => name))
    const undocumented = [...response.headers.keys()].filter(
      (name) => !names.has(name) && !TRANSPORT_HEADERS.has(name),
    )
    return [
      ...undocumented.map((name) => `the header ${name} is not documented`),
      ...documented.flatMap(([name, header]) =>
        this.#textFaults(`the header ${name}`, header, response.headers.get(name)),
      ),
      ...this.#contentFaults('the answer', answer.content, response, withoutBody),
    ]
  }

  #extraParameters(operation: Operation, { request }: Exchange, query: URLSearchParams): readonly string[] {
    const names = this.#parametersOf(operation).map(
      (parameter) =>
        `${parameter.in} ${parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name}`,
    )
    return [
      ...[...request.headers.keys()]
        .filter((name) => OUR_REQUEST_HEADER.test(name) && !names.includes(`header ${name}`))
        .map((name) => `the request header ${name} is not documented`),
      ...[...query.keys()]
        .filter((name) => !names.includes(`query ${name}`))
        .map((name) => `the query parameter ${name} is not documented`),
    ]
  }

  #parametersOf({ parameters = [] }: Operation): readonly Parameter[] {
    return parameters.map((parameter) => this.resolve(parameter))
  }

  #requestFaults(
    operation: Operation,
    { request }: Exchange,
    inPath: Readonly<Record<string, string>>,
    query: URLSearchParams,
  ): readonly string[] {
    const given = {
      path: Object.fromEntries(Object.entries(inPath).map(([name, value]) => [name, decoded(value)])),
      query: Object.fromEntries(query),
      header: Object.fromEntries(request.headers),
    }
    const { security = [], requestBody } = operation
    return [
      ...this.#parametersOf(operation).flatMap((parameter) => {
        const name = parameter.in === 'header' ? parameter.name.toLowerCase() : parameter.name
        return this.#textFaults(`the ${parameter.in} parameter ${name}`, parameter, given[parameter.in][name])
      }),
      ...(security.length > 0 && !request.headers.has('Authorization')
        ? ['it succeeded without the documented credentials']
        : []),
      // Operations without a documented body ignore the body.
      ...(requestBody
        ? this.#contentFaults(
            'the request',
            requestBody.content,
            { headers: request.headers, body: request.body ?? '' },
            false,
          )
        : []),
    ]
  }

  #contentFaults(
    what: string,
    content: Content | undefined,
    { headers, body }: { readonly headers: Headers; readonly body: string },
    withoutBody: boolean,
  ): readonly string[] {
    const type = headers.get('Content-Type')?.replace(/;.*/s, '').trim().toLowerCase()
    if (!content) return body !== '' || type ? [`the body of ${what} is not documented`] : []
    const media = content[type ?? '']
    if (!media) return [`the content type ${type} of ${what} is not documented`]
    if (withoutBody || type !== 'application/json') return []
    return this.faultsOfValue(media.schema, JSON.parse(body)).map((fault) => `the body of ${what} ${fault}`)
  }

  #textFaults(
    what: string,
    { required = false, schema }: Pick<Parameter, 'required' | 'schema'>,
    value: string | null | undefined,
  ): readonly string[] {
    if (value === null || value === undefined) return required ? [`${what} is missing`] : []
    return this.#texts.validate(schema, value)
      ? []
      : this.#texts.errors!.map((error) => `${what} ${reason(error)}`)
  }
}

function patternOf(template: string): RegExp {
  const parts = template.split(/(\{\w+\})/).map((part) => {
    const parameter = /^\{(\w+)\}$/.exec(part)
    return parameter ? `(?<${parameter[1]}>[^/]+)` : RegExp.escape(part)
  })
  return new RegExp(`^${parts.join('')}$`)
}

/** A decoded part of a path, or the part itself if it cannot be decoded. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function literals(template: string): number {
  return template.replaceAll(/\{\w+\}/g, '').length
}

function methodsIn(headers: Headers): readonly string[] {
  return headers.get('Allow')?.split(', ') ?? []
}

function reason({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || '(whole)'} ${message} ${JSON.stringify(params)}`
}
