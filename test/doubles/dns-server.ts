import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { ExecutionContext } from 'ava'
import { type Answer, decode, encode } from 'dns-packet'

/**
 * What the server publishes: the texts of each name, and under `MX <name>`, `A <name>` and `AAAA <name>` its mail servers and addresses.
 * `refused` makes it refuse a name, `silent` say nothing.
 */
export type Zone = Readonly<Record<string, readonly string[] | 'refused' | 'silent'>>

/** The longest character-string of a TXT record (RFC 1035 §3.3.14). Longer texts are cut into several. */
const CHARACTER_STRING = 255

/** A name server on this machine that answers TXT, MX, A and AAAA, and says of any other name that it does not exist. */
export async function dnsServer(
  t: ExecutionContext,
  zone: Zone,
): Promise<{ address: string; asked: string[] }> {
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, { port, address }) => {
    const { id, questions } = decode(message)
    const question = questions![0]!
    asked.push(`${question.type} ${question.name}`)
    const { name } = question
    const found =
      question.type === 'TXT'
        ? zone[name]
        : (zone[`${question.type} ${name}`] ?? (isNamed(zone, name) ? [] : undefined))
    if (found === 'silent') return
    const answers = Array.isArray(found)
      ? found.map((text: string) => answerOf(question.type, name, text))
      : []
    const rcode = found === 'refused' ? 5 : found === undefined ? 3 : 0
    // RFC 1035 §4.1.1: 0x0400 is the flag of an authoritative answer. The rest of the bits are the RCODE.
    socket.send(encode({ type: 'response', id, flags: 0x0400 | rcode, questions, answers }), port, address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => new Promise<void>((closed) => void socket.close(closed)))
  return { address: `127.0.0.1:${socket.address().port}`, asked }
}

function isNamed(zone: Zone, name: string): boolean {
  return Object.keys(zone).some((entry) => entry === name || entry.endsWith(` ${name}`))
}

function answerOf(type: string, name: string, text: string): Answer {
  if (type === 'A' || type === 'AAAA') return { type, name, ttl: 0, data: text }
  return type === 'MX'
    ? { type, name, ttl: 0, data: { preference: 10, exchange: text } }
    : { type: 'TXT', name, ttl: 0, data: piecesOf(text) }
}

function piecesOf(text: string): string[] {
  return text.match(new RegExp(`.{1,${CHARACTER_STRING}}`, 'g')) ?? ['']
}
