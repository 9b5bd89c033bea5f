import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { pino } from 'pino'
import { SMTPServer } from 'smtp-server'
import { HmacBounceAddresses } from '../../src/adapters/bounce-addresses-hmac/hmac-bounce-addresses.ts'
import { BounceIntake } from '../../src/adapters/bounce-intake/bounce-intake.ts'
import { SmtpMailTransport } from '../../src/adapters/mail-smtp/smtp-mail-transport.ts'
import type { RecordNoticeCommand } from '../../src/application/mail/record-notice.ts'
import { freePort } from '../../src/development/postgres/free-port.ts'
import type { EmailAddress } from '../../src/domain/email-address.ts'
import { otpMail } from '../../test/contracts/mail-transport.contract.ts'

/*
 * Mails of the service go through mail systems of Debian to a server that refuses them, and the notices come back to the intake. The
 * mail systems are unpacked packages in `node_modules/.cache/mail-systems`, one folder each (.ci/run puts them there), or in the folder
 * MAIL_SYSTEMS. Each runs in a mount and process namespace of its own. Without packages, or without the right to do so, its test is
 * skipped.
 */

const FOLDER =
  process.env.MAIL_SYSTEMS ??
  fileURLToPath(new URL('../../node_modules/.cache/mail-systems/', import.meta.url))
const PROGRAM = fileURLToPath(new URL('mail-system.sh', import.meta.url))
const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
const OVERLAY =
  'mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w && mount -t overlay none -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc'
const mayIsolate = spawnSync('unshare', [...NAMESPACES, 'sh', '-c', OVERLAY]).status === 0

const HARD = { outcome: 'bounced', kind: 'hard-bounce' } as const
const SOFT = { outcome: 'bounced', kind: 'soft-bounce' } as const
const REPLIES = {
  unknown: [550, '5.1.1 no such user here'],
  bare: [550, 'no such user here'],
  policy: [550, '5.7.1 you may not write to us'],
  full: [452, '4.2.2 the mailbox is full'],
} as const

for (const name of ['Postfix', 'Exim', 'OpenSMTPD'] as const) {
  const runs = mayIsolate && existsSync(join(FOLDER, name))
  const proof = runs ? test.serial : test.serial.skip

  proof(`${name} brings back what became of each mail`, async (t) => {
    t.timeout(120_000)
    const { transport, reports } = await behind(t, name)
    const send = async (to: string) => {
      const mail = otpMail({ to: `${to}@shop.example` as EmailAddress })
      await transport.send(mail)
      return mail.id
    }

    const ids = {
      unknown: await send('unknown'),
      bare: await send('bare'),
      policy: await send('policy'),
      content: await send('content'),
      full: await send('full'),
    }
    const lastOf = (id: string) => reports.filter(({ issuanceId }) => issuanceId === id).at(-1)?.report
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      if (Object.values(ids).every((id) => lastOf(id)?.outcome === 'bounced')) break
      await wait(200)
    }

    t.deepEqual(lastOf(ids.unknown), HARD)
    for (const soft of ['bare', 'policy', 'content', 'full'] as const) {
      t.deepEqual(lastOf(ids[soft]), SOFT, soft)
    }
  })
}

/** A mail system between a transport of the service, a server that refuses, and the intake. */
async function behind(t: ExecutionContext, name: string) {
  const reports: RecordNoticeCommand[] = []
  const addresses = new HmacBounceAddresses([{ bytes: randomBytes(32) }], 'bounces.bank.example')
  const intake = new BounceIntake(
    { host: '127.0.0.1', port: 0, shared: false },
    addresses,
    {
      execute: async (command) => {
        reports.push(command)
        return 'stored'
      },
    },
    pino({ level: 'silent' }),
  )
  const intakePort = await intake.listen()
  t.teardown(() => intake.close())
  const remotePort = await refusingServer(t)
  const port = await freePort()

  const work = await mkdtemp(join(tmpdir(), 'countersign-mail-system-'))
  const args = [name, join(FOLDER, name), work, port, remotePort, intakePort].map(String)
  const child = spawn('unshare', [...NAMESPACES, 'bash', PROGRAM, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, EXIM_DSN: '1' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  t.teardown(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
    await rm(work, { recursive: true, force: true })
    if (!t.passed) t.log(output)
  })
  await listening(port)

  const transport = new SmtpMailTransport({
    url: `smtp://127.0.0.1:${port}`,
    from: 'Example Bank <no-reply@bank.example>',
    bounceAddresses: addresses,
  })
  t.teardown(() => transport.close())
  return { transport, reports }
}

async function refusingServer(t: ExecutionContext): Promise<number> {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    hideENHANCEDSTATUSCODES: true,
    onRcptTo: ({ address }, _session, done) => {
      const reply = REPLIES[address.split('@')[0] as keyof typeof REPLIES]
      done(reply ? Object.assign(new Error(reply[1]), { responseCode: reply[0] }) : null)
    },
    onData: (stream, _session, done) => {
      stream
        .resume()
        .on('end', () =>
          done(Object.assign(new Error('5.6.0 we take no such content'), { responseCode: 554 })),
        )
    },
  })
  server.on('error', () => {})
  const listening = server.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  return (listening.address() as AddressInfo).port
}

async function listening(port: number): Promise<void> {
  for (const end = Date.now() + 20_000; Date.now() < end; await wait(100)) {
    const socket = connect(port, '127.0.0.1')
    const greets = await Promise.race([
      once(socket, 'data').then(
        () => true,
        () => false,
      ),
      wait(2000, false),
    ])
    socket.destroy()
    if (greets) return
  }
  throw new Error('the mail system does not listen')
}
