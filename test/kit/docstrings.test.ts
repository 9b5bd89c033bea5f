import { fileURLToPath } from 'node:url'
import test from 'ava'
import ts from 'typescript'
import { ANSWERED_CODES, FIELD_CODES } from '../../packages/kit/src/countersign-error.ts'
import { ApiDocument } from '../support/api-document.ts'

/* What an integrator reads over a name of the kit is what the API's document says about it. */

const { document } = ApiDocument.read()
const SOURCES = fileURLToPath(new URL('../../packages/kit/src/', import.meta.url))
const program = ts.createProgram(
  ['answers', 'client', 'countersign-error', 'koa', 'express', 'fastify'].map(
    (name) => `${SOURCES}${name}.ts`,
  ),
  { module: ts.ModuleKind.NodeNext, allowImportingTsExtensions: true, noEmit: true, skipLibCheck: true },
)
const checker = program.getTypeChecker()

interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

const schemas = document.components.schemas as Readonly<Record<string, Schema>>
/** The interface of the kit for each schema of an answer. */
const ANSWERS = [
  ...['OpenedChallenge', 'Challenge', 'Issuance', 'ConsumedChallenge', 'User'],
  ...['WebhookEndpoint', 'SharedWebhookEndpoint', 'ServiceEventPage'],
]
/** The operation of the document for each method of the client. */
const OPERATIONS: Readonly<Record<string, string>> = {
  openChallenge: 'openChallenge',
  inspectChallenge: 'readChallenge',
  consumeChallenge: 'consumeChallenge',
  cancelChallenge: 'cancelChallenge',
  putUser: 'putUser',
  findUser: 'readUser',
  eraseUser: 'eraseUser',
  liftSuppression: 'liftSuppression',
  initiateEmail: 'initiateEmail',
  verifyEmail: 'verifyEmail',
  putWebhook: 'putWebhook',
  findWebhook: 'readWebhook',
  removeWebhook: 'removeWebhook',
  rotateWebhookSecret: 'rotateWebhookSecret',
  readServiceEvents: 'readServiceEvents',
}
/** The class says that every call may be answered with these. `CountersignError` explains the codes of fields. */
const NOT_NAMED: readonly string[] = ['UNAUTHORIZED', 'INTERNAL_SERVER_ERROR', ...FIELD_CODES]

for (const name of ANSWERS) {
  test(`every member of ${name} is explained, in the words of the document where it has some`, (t) => {
    const members = membersOf(name)
    const documented = memberDescriptions(schemas[name]!)

    t.deepEqual([...members.keys()].toSorted(), [...documented.keys()].toSorted())
    for (const [member, words] of members) {
      t.not(words, '', member)
      const described = documented.get(member)
      if (described !== undefined) t.is(words, described, member)
    }
  })
}

for (const [method, operationId] of Object.entries(OPERATIONS)) {
  test(`${method} names each code that the document has for it, and no other`, (t) => {
    const operation = Object.values(document.paths)
      .flatMap((methods) => Object.values(methods))
      .find((each) => each.operationId === operationId)!
    const answered = codesIn(JSON.stringify(operation.responses))
    // What does not exist is no error of a method that looks for it.
    const sought = { findUser: 'USER_NOT_FOUND', findWebhook: 'WEBHOOK_NOT_FOUND' }[method]
    const expected = answered.filter((code) => code !== sought)

    const words = docOf(declared('client', 'CountersignClient').members!.get(method as ts.__String)!)
    const named = [...words.matchAll(/`([A-Z_]{6,})`/g)].map(([, code]) => code!)

    t.deepEqual(
      [...new Set(named)].toSorted(),
      expected.filter((code) => !NOT_NAMED.includes(code)).toSorted(),
    )
  })
}

test('every code of an error is explained, with whether to try again', (t) => {
  const words = docOf(declared('countersign-error', 'CountersignErrorCode'))

  for (const code of [...ANSWERED_CODES, 'UNREACHABLE', 'TOKEN_UNAVAILABLE', 'UNEXPECTED']) {
    t.regex(words, new RegExp(`^\\| \`${code}\` \\| [^|]+ \\| [^|]+ \\|$`, 'm'), code)
  }
})

for (const framework of ['koa', 'express', 'fastify']) {
  test(`requireStepUp for ${framework} explains each answer that it gives`, (t) => {
    const code = checker.getDeclaredTypeOfSymbol(resolved(declared(framework, 'RefusalCode')))
    const codes = (code as ts.UnionType).types.map((each) => (each as ts.StringLiteralType).value)
    const words = docOf(declared(framework, 'requireStepUp'))

    t.true(codes.length > 5)
    for (const each of [...codes, 'STEP_UP_REQUIRED']) {
      t.regex(words, new RegExp(`^\\| [45]\\d\\d \\| \`${each}\` \\| [^|]+ \\|$`, 'm'), each)
    }
  })
}

function declared(file: string, name: string): ts.Symbol {
  const module = checker.getSymbolAtLocation(program.getSourceFile(`${SOURCES}${file}.ts`)!)!
  return checker.getExportsOfModule(module).find((each) => each.name === name)!
}

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** On one line, but for the rows of a table. */
function docOf(symbol: ts.Symbol): string {
  const text = ts.displayPartsToString(resolved(symbol).getDocumentationComment(checker))
  return text.replaceAll(/(?<!\|)\n(?![|\n])/g, ' ').trim()
}

/** The members of an interface of the kit, those of its inline objects included, by their path. */
function membersOf(name: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const add = (type: ts.Type, prefix: string) => {
    for (const member of type.getProperties()) {
      const path = `${prefix}${member.name}`
      found.set(path, docOf(member))
      const declaration = member.valueDeclaration as ts.PropertySignature
      if (declaration.type?.kind === ts.SyntaxKind.TypeLiteral) {
        add(checker.getTypeAtLocation(declaration.type), `${path}.`)
      }
    }
  }
  add(checker.getDeclaredTypeOfSymbol(declared('answers', name)), '')
  return found
}

function memberDescriptions({ properties = {} }: Schema, prefix = ''): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>()
  for (const [name, schema] of Object.entries(properties)) {
    const target = schema.$ref ? schemas[schema.$ref.split('/').at(-1)!]! : schema
    found.set(`${prefix}${name}`, schema.description ?? (schema.$ref ? target.description : undefined))
    for (const [path, words] of memberDescriptions(target, `${prefix}${name}.`)) found.set(path, words)
  }
  return found
}

/** Every code in a part of the document, through its references. */
function codesIn(text: string, seen = new Set<string>()): readonly string[] {
  const codes = [...text.matchAll(/urn:plmr:[a-z-]+:api:([A-Z_]+)/g)].map(([, code]) => code!)
  for (const [, path] of text.matchAll(/"#\/([^"]+)"/g)) {
    if (seen.has(path!)) continue
    seen.add(path!)
    const target = path!
      .split('/')
      .reduce<unknown>((part, name) => (part as Record<string, unknown>)[name], document)
    codes.push(...codesIn(JSON.stringify(target), seen))
  }
  return [...new Set(codes)]
}
