import fc from 'fast-check'
import type { Palette } from './palette.ts'

/* The parts of JSON Schema that the document uses. */
interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
}

/** Values that a schema of the document allows. */
export function validValues(palette: Palette, schema: object): fc.Arbitrary<unknown> {
  return valuesOf(palette, schema as Schema, '').filter(
    (value) => palette.api.faultsOfValue(schema, value).length === 0,
  )
}

function valuesOf(palette: Palette, schema: Schema, name: string): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) {
    return valuesOf(
      palette,
      palette.api.document.components.schemas![schema.$ref.replace('schema:', '')] as Schema,
      name,
    )
  }
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => valuesOf(palette, each, name)))
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.type === undefined) return fc.jsonValue({ maxDepth: 1 })
  const types = [schema.type].flat()
  return fc.oneof(...types.map((type) => valuesOfType(palette, type, schema, name)))
}

function valuesOfType(palette: Palette, type: string, schema: Schema, name: string): fc.Arbitrary<unknown> {
  switch (type) {
    case 'object':
      return objectsOf(palette, schema)
    case 'array': {
      const { items = {}, minItems = 0, maxItems = 3 } = schema
      return fc.array(valuesOf(palette, items, name), {
        minLength: minItems,
        maxLength: maxItems,
      })
    }
    case 'string':
      // The only forms that the schema describes in words.
      if (/At$/.test(name)) return times
      return name === 'email' ? emailAddresses(palette, schema) : palette.texts(schema)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000_000 })
    case 'number':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      throw new Error(`the fuzz does not support a schema of type ${type} yet`)
  }
}

function objectsOf(palette: Palette, { properties = {}, required = [] }: Schema): fc.Arbitrary<object> {
  const values = Object.entries(properties).map(([name, each]) => [name, valuesOf(palette, each, name)])
  return fc.record(Object.fromEntries(values), {
    requiredKeys: [...required],
    noNullPrototype: true,
  } as object)
}

/** Few texts of the form in the document have a domain that exists in DNS. */
function emailAddresses(palette: Palette, { maxLength = 254 }: Schema): fc.Arbitrary<string> {
  const inAscii = palette.texts({ pattern: ASCII_ADDRESS, maxLength })
  return fc.oneof(
    inAscii,
    inAscii.map((address) => `${address.split('@')[0]}@bücher.例え.example`),
  )
}
const ASCII_ADDRESS =
  "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,8}$"

const times = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString())
