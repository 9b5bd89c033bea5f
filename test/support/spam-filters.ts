import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '../../src/development/postgres/free-port.ts'

const SPAMASSASSIN = 'spamassassin'
const RSPAMD = 'rspamd'

/** `apt-get install spamassassin` */
export const hasSpamAssassin = spawnSync(SPAMASSASSIN, ['--version']).status === 0
/** `apt-get install rspamd` */
export const hasRspamd = spawnSync(RSPAMD, ['--version']).status === 0

/** What a filter finds in a mail. Rules that ask the network, or judge the way of the mail, are off. */
export interface Score {
  readonly total: number
  /** The rules that hit, with their points where the filter names them. */
  readonly rules: readonly string[]
}

/** Scores of the mails by SpamAssassin, with its rules as they come. Each mail has a Message-ID of its own. */
export async function spamAssassinScores(mails: readonly Buffer[]): Promise<Score[]> {
  const home = await mkdtemp(join(tmpdir(), 'countersign-spamassassin-'))
  try {
    const mailboxes = mails.map((mail) => `From x Tue Jan  1 12:00:00 2030\n${mail.toString('latin1')}\n\n`)
    const { stdout, stderr } = spawnSync(
      SPAMASSASSIN,
      ['--local', '--test-mode', '--nocreate-prefs', '--mbox'],
      {
        input: Buffer.from(mailboxes.join('').replaceAll('\r\n', '\n'), 'latin1'),
        env: { ...process.env, HOME: home },
        encoding: 'latin1',
        maxBuffer: 64 * 2 ** 20,
      },
    )
    // The answers come in an order of their own.
    const scores = new Map(stdout.split(/^From x /m).map((answer) => [messageId(answer), scoreIn(answer)]))
    return mails.map((mail) => {
      const score = scores.get(messageId(mail.toString('latin1')))
      if (!score) throw new Error(`SpamAssassin did not score a mail: ${stderr}`)
      return score
    })
  } finally {
    await rm(home, { recursive: true })
  }
}

const messageId = (mail: string) => /^Message-ID: (.*)/m.exec(mail)?.[1]?.trim()

function scoreIn(answer: string): Score | undefined {
  const found = /^X-Spam-Status: \w+, score=(-?[\d.]+) required=\S+ tests=([^=]*) autolearn=/m.exec(answer)
  return found ? { total: Number(found[1]), rules: found[2]!.split(/,\s*/) } : undefined
}

/** How a mail came to the filter, as the mail system that runs it says. */
interface Arrival {
  readonly ip: string
  readonly helo: string
  readonly from: string
}

/**
 * Scans of a mail that has points. rspamd guesses the language of a mail from words that it takes at random. If it guesses wrong, it
 * takes accents for letters of another script (`R_MIXED_CHARSET`), in some scans of a hundred.
 */
const SCANS = 9
/** What each mail with base64 has. One scan is enough for it. */
const OF_ENCODING = 0.1

export interface Rspamd {
  /** The score in the middle of several scans. */
  score(mail: Buffer, arrival?: Arrival): Promise<Score>
  stop(): Promise<void>
}

const NO_NAME_SERVER = '127.0.0.1:1'

/** Rspamd's own rules about the content of a mail or, with a name server, about its sender. */
const rspamdConfig = (folder: string, port: number, nameServer: string | undefined) => `
lua = "$RULESDIR/rspamd.lua";
.include "$CONFDIR/metrics.conf"
.include "$CONFDIR/actions.conf"
.include "$CONFDIR/groups.conf"
.include "$CONFDIR/composites.conf"
.include "$CONFDIR/modules.d/chartable.conf"
.include "$CONFDIR/modules.d/dkim.conf"
.include "$CONFDIR/modules.d/dmarc.conf"
.include "$CONFDIR/modules.d/spf.conf"
.include "$CONFDIR/modules.d/mid.conf"
.include "$CONFDIR/modules.d/mime_types.conf"
.include "$CONFDIR/modules.d/phishing.conf"
.include "$CONFDIR/modules.d/regexp.conf"
modules { path = "$PLUGINSDIR"; }
options {
  .include "$CONFDIR/options.inc"
  pidfile = "${folder}/rspamd.pid";
  control_socket = "${folder}/rspamd.sock";
  .include(priority=10,duplicate=merge) "${folder}/dns.inc"
  filters = "${nameServer === undefined ? 'chartable,regexp' : 'dkim'}";
}
logging { type = "console"; level = "error"; }
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
`

/** Without a name server, each look-up fails at once. A block of its own would not replace the one that rspamd comes with. */
const dnsConfig = (nameServer: string | undefined) => `dns {
  nameserver = ["${nameServer ?? NO_NAME_SERVER}"];
  timeout = ${nameServer === undefined ? '0.05s' : '10s'};
  retransmits = 1;
}
`

/** Starts an rspamd with a configuration and data of its own. It asks no name server but the given one. */
export async function startRspamd(nameServer?: string): Promise<Rspamd> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-rspamd-'))
  const port = await freePort()
  const config = join(folder, 'rspamd.conf')
  await mkdir(join(folder, 'data'))
  await writeFile(config, rspamdConfig(folder, port, nameServer))
  await writeFile(join(folder, 'dns.inc'), dnsConfig(nameServer))
  const places = { LOCAL_CONFDIR: folder, RUNDIR: folder, DBDIR: join(folder, 'data') }
  const child = spawn(
    RSPAMD,
    [
      '--no-fork',
      ...(process.getuid?.() === 0 ? ['--insecure', '--user=root', '--group=root'] : []),
      `--config=${config}`,
      ...Object.entries(places).map(([name, value]) => `--var=${name}=${value}`),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const url = `http://127.0.0.1:${port}`
  while (
    !(await fetch(`${url}/ping`)
      .then(({ ok }) => ok)
      .catch(() => false))
  ) {
    if (child.exitCode !== null) throw new Error(`rspamd ended with ${child.exitCode}: ${output}`)
    await wait(50)
  }

  async function scan(mail: Buffer, arrival?: Arrival): Promise<Score> {
    const answer = await fetch(`${url}/checkv2`, {
      method: 'POST',
      headers: { ...arrival },
      body: new Uint8Array(mail),
    })
    const { score, symbols } = (await answer.json()) as {
      score: number
      symbols: Record<string, { name: string; score: number }>
    }
    return {
      total: score,
      rules: Object.values(symbols)
        .filter((symbol) => symbol.score !== 0)
        .map((symbol) => `${symbol.name} ${symbol.score}`),
    }
  }

  return {
    score: async (mail, arrival) => {
      const scores: Score[] = []
      for (let n = 0; n < SCANS; n++) {
        scores.push(await scan(mail, arrival))
        if (scores[0]!.total <= OF_ENCODING) break
      }
      return scores.toSorted((one, other) => one.total - other.total)[scores.length >> 1]!
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit')
        child.kill('SIGTERM')
        await ended
      }
      await rm(folder, { recursive: true, force: true })
    },
  }
}
