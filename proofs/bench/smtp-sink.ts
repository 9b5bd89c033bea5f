import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** A mail server that accepts every mail and records only when it accepted it. */
export interface SmtpSink {
  readonly url: string
  /** When it accepted a mail, by the id of its issuance, as `performance.timeOrigin + now()`. */
  readonly takenAt: ReadonlyMap<string, number>
  close(): void
}

/** Speaks the part of RFC 5321 that a client with one recipient needs, at minimal cost, because it shares the cores. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const takenAt = new Map<string, number>()
  const server = createServer((socket) => serve(socket, takenAt)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takenAt,
    close: () => server.close(),
  }
}

function serve(socket: Socket, takenAt: Map<string, number>): void {
  let received = ''
  let inMail = false
  socket.setNoDelay(true)
  socket.on('error', () => {})
  socket.write('220 sink\r\n')
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    for (;;) {
      const end = received.indexOf(inMail ? '\r\n.\r\n' : '\r\n')
      if (end === -1) return
      const text = received.slice(0, end)
      received = received.slice(end + (inMail ? 5 : 2))
      if (inMail) {
        inMail = false
        const issuanceId = /^Message-ID: <([^@]+)@/im.exec(text)?.[1]
        if (issuanceId) takenAt.set(issuanceId, performance.timeOrigin + performance.now())
        socket.write('250 taken\r\n')
      } else {
        const command = text.slice(0, 4).toUpperCase()
        inMail = command === 'DATA'
        socket.write(inMail ? '354 go on\r\n' : command === 'QUIT' ? '221 bye\r\n' : '250 sink\r\n')
      }
    }
  })
}
