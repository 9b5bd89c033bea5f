import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, chown, mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { ensureOsAccount } from '../../src/development/postgres/os-account.ts'
import { until } from '../../test/journeys/client.ts'
import { TcpProxy } from '../faults/tcp-proxy.ts'
import { endProcess } from '../processes.ts'
import { pathOf } from '../programs.ts'
import { configuration } from '../rolling/configuration.ts'

const NODES = ['node1', 'node2', 'node3'] as const
/** Passwords have no meaning here: everything is on the loopback interface, in a folder that is removed. */
const PASSWORD = 'ha'
const CLUSTER_PATIENCE_IN_MS = 120_000

/** As `GET /cluster` of Patroni has it. */
interface Member {
  readonly name: string
  readonly role: string
  readonly state: string
  readonly timeline?: number
  readonly lag?: number | 'unknown'
}

export interface Cluster {
  /** The versions of what runs. */
  readonly versions: string
  /** Leads to the primary, as the service uses it. */
  urlOf(user: string, database: string): string
  /** Past the proxy, to the server that is the primary now. */
  primaryUrl(database: string): Promise<string>
  leader(): Promise<string>
  /** Waits until another node than this one, which is dead, is the primary. */
  successorOf(name: string): Promise<void>
  /** Waits until there is a primary, and both others follow it, one of them synchronously if that is demanded. */
  whole(): Promise<void>
  /** Hands the primary's role over to another node, and resolves when Patroni has. */
  switchover(): Promise<void>
  /** Kills Patroni and PostgreSQL of the primary, as if the machine had lost its power. Returns its name. */
  killPrimary(): Promise<string>
  /** Kills PostgreSQL of the primary alone. */
  killPostgres(): Promise<string>
  /** Starts a killed node again. */
  revive(name: string): Promise<void>
  /** Lets nothing pass between the nodes any more. Returns a function that ends that. */
  cutReplication(): Promise<() => Promise<void>>
  /** Turns synchronous replication on or off. */
  synchronous(on: boolean): Promise<void>
  /** How often a former primary was rewound to follow the new one. */
  rewinds(): Promise<number>
  stop(): Promise<void>
}

interface Node {
  readonly name: string
  readonly port: number
  readonly apiPort: number
  readonly file: string
  readonly data: string
  readonly log: string
  /** Between the other nodes and PostgreSQL of this one. */
  readonly link: TcpProxy | undefined
  patroni: ChildProcess | undefined
}

/**
 * Three nodes of Patroni, one etcd and HAProxy on the loopback interface, with the files of deploy/. One etcd is enough to prove what
 * the service does, and not enough for an installation.
 *
 * @param links whether the connections between the nodes go through this process, which can then cut them.
 */
export async function startCluster(parent: string, { links }: { links: boolean }): Promise<Cluster> {
  const bin = dirname(pathOf('pg_rewind'))
  const account = await ensureOsAccount()
  const folder = join(parent, 'cluster')
  await mkdir(folder)
  await chmod(folder, 0o755)
  const own = async (path: string) => {
    if (account) await chown(path, account.uid, account.gid)
  }
  const run = async (program: string, args: readonly string[], log: string): Promise<ChildProcess> => {
    const output = await open(log, 'a')
    const child = spawn(program, args, {
      ...account,
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', output.fd, output.fd],
    })
    await once(child, 'spawn')
    await output.close()
    return child
  }

  const etcdPort = await freePort()
  const etcd = await startEtcd(folder, etcdPort, own, run)
  const nodes: Node[] = []
  for (const name of NODES) {
    const home = join(folder, name)
    await mkdir(home)
    await own(home)
    const [port, apiPort] = [await freePort(), await freePort()]
    nodes.push({
      name,
      port,
      apiPort,
      file: join(home, 'patroni.yml'),
      data: join(home, 'data'),
      log: join(home, 'patroni.log'),
      link: links ? await TcpProxy.to(port) : undefined,
      patroni: undefined,
    })
  }
  for (const node of nodes) {
    const connectPort = node.link ? Number(new URL(node.link.urlOf('postgresql://link')).port) : node.port
    await writeFile(node.file, await patroniFile(node, connectPort, etcdPort, bin, dirname(node.file)))
    await own(node.file)
  }
  const start = async (node: Node) => {
    node.patroni = await run(pathOf('patroni'), [node.file], node.log)
  }
  const proxy = await startHaProxy(folder, nodes)
  let demandsSynchronous = true

  const members = async (): Promise<readonly Member[]> => {
    for (const { apiPort } of nodes.filter(({ patroni }) => patroni)) {
      const answer = await fetch(`http://127.0.0.1:${apiPort}/cluster`).catch(() => undefined)
      if (answer?.ok) return ((await answer.json()) as { members: Member[] }).members
    }
    return []
  }
  const whole = async () => {
    await until(members, (all) => isWhole(all, demandsSynchronous), CLUSTER_PATIENCE_IN_MS)
  }
  const leader = async () => {
    const all = await until(members, (all) => all.some(isLeader), CLUSTER_PATIENCE_IN_MS)
    return all.find(isLeader)!.name
  }
  const nodeOf = (name: string) => nodes.find((node) => node.name === name)!
  const patronictl = (...args: string[]) =>
    promisify(execFile)(pathOf('patronictl'), ['-c', nodes[0]!.file, ...args], {
      ...account,
      cwd: '/',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
    })
  const url = (port: number, user: string, database: string) =>
    `postgresql://${user}:${PASSWORD}@127.0.0.1:${port}/${database}`

  // One after the other: the first one to start makes the cluster, and the others copy it.
  for (const node of nodes) {
    await start(node)
    if (node === nodes[0]) await leader()
  }
  await whole()

  return {
    versions: await versions(bin),
    urlOf: (user, database) => url(proxy.port, user, database),
    primaryUrl: async (database) => url(nodeOf(await leader()).port, 'postgres', database),
    leader,
    successorOf: async (name) => {
      const another = (all: readonly Member[]) => all.some((each) => isLeader(each) && each.name !== name)
      await until(members, another, CLUSTER_PATIENCE_IN_MS)
    },
    whole,
    switchover: async () => {
      const from = await leader()
      const all = await members()
      const to = all.find(({ role }) => role === 'sync_standby') ?? all.find(({ name }) => name !== from)!
      await patronictl('switchover', '--leader', from, '--candidate', to.name, '--force')
    },
    killPrimary: async () => {
      const node = nodeOf(await leader())
      const { patroni } = node
      node.patroni = undefined
      const dead = once(patroni!, 'exit')
      await killAll([patroni!.pid!, await postmasterOf(node)])
      await dead
      return node.name
    },
    killPostgres: async () => {
      const node = nodeOf(await leader())
      await killAll([await postmasterOf(node)])
      return node.name
    },
    revive: (name) => start(nodeOf(name)),
    cutReplication: async () => {
      for (const { link } of nodes) link!.hang()
      return async () => {
        for (const { link } of nodes) await link!.pass()
      }
    },
    synchronous: async (on) => {
      const settings = [`synchronous_mode=${on}`, `synchronous_mode_strict=${on}`]
      await patronictl('edit-config', '--force', ...settings.flatMap((each) => ['--set', each]))
      demandsSynchronous = on
      await until(members, (all) => all.some(({ role }) => role === 'sync_standby') === on)
    },
    rewinds: async () => {
      const logs = await Promise.all(nodes.map(({ log }) => readFile(log, 'utf8')))
      return logs.join('\n').match(/running pg_rewind from .*\bhost=/g)?.length ?? 0
    },
    stop: async () => {
      await proxy.stop()
      // Standbys first: a primary waits for them at its end.
      const last = (await members()).find(isLeader)?.name
      for (const node of nodes.toSorted((a, b) => Number(a.name === last) - Number(b.name === last))) {
        if (node.patroni) await endProcess(node.patroni)
        await node.link?.close()
      }
      await endProcess(etcd)
    },
  }
}

async function startEtcd(
  folder: string,
  port: number,
  own: (path: string) => Promise<void>,
  run: (program: string, args: readonly string[], log: string) => Promise<ChildProcess>,
): Promise<ChildProcess> {
  const home = join(folder, 'etcd')
  await mkdir(home)
  await own(home)
  const [client, peer] = [port, await freePort()].map((each) => `http://127.0.0.1:${each}`)
  const child = await run(
    pathOf('etcd'),
    [
      ...['--name', 'etcd1', '--data-dir', join(home, 'data')],
      ...['--listen-client-urls', client!, '--advertise-client-urls', client!],
      ...['--listen-peer-urls', peer!, '--initial-advertise-peer-urls', peer!],
      ...['--initial-cluster', `etcd1=${peer}`],
    ],
    join(home, 'etcd.log'),
  )
  await until(
    () =>
      fetch(`${client}/health`).then(
        ({ ok }) => ok,
        () => false,
      ),
    Boolean,
  )
  return child
}

/** deploy/high-availability/patroni.yml with the addresses of a node, and without TLS. */
async function patroniFile(
  { name, port, apiPort, data }: Node,
  connectPort: number,
  etcdPort: number,
  bin: string,
  home: string,
): Promise<string> {
  const all = parse(await configuration('high-availability/patroni.yml'))
  const { postgresql } = all
  all.name = name
  all.restapi = { listen: `127.0.0.1:${apiPort}`, connect_address: `127.0.0.1:${apiPort}` }
  all.etcd3 = { hosts: `127.0.0.1:${etcdPort}` }
  Object.assign(postgresql, {
    listen: `127.0.0.1:${port}`,
    connect_address: `127.0.0.1:${connectPort}`,
    data_dir: data,
    bin_dir: bin,
    pgpass: join(home, 'pgpass'),
    pg_hba: postgresql.pg_hba.map((line: string) =>
      line.replace('hostssl', 'host').replace('10.0.0.0/24', '127.0.0.0/8'),
    ),
  })
  for (const login of Object.values<Record<string, string>>(postgresql.authentication)) {
    login.password = PASSWORD
    delete login.sslmode
    delete login.sslrootcert
  }
  const { ssl, ssl_cert_file, ssl_key_file, ...parameters } = postgresql.parameters
  postgresql.parameters = { ...parameters, unix_socket_directories: home }
  return stringify(all)
}

/** deploy/high-availability/haproxy.cfg with the addresses of the nodes. */
async function startHaProxy(folder: string, nodes: readonly Node[]) {
  const port = await freePort()
  const file = join(folder, 'haproxy.cfg')
  const text = await configuration(
    'high-availability/haproxy.cfg',
    [/bind 127\.0\.0\.1:5432/, `bind 127.0.0.1:${port}`],
    ...nodes.map(
      ({ name, port, apiPort }) =>
        [
          new RegExp(`server ${name} [\\d.]+:5432 check port 8008`),
          `server ${name} 127.0.0.1:${port} check port ${apiPort}`,
        ] as const,
    ),
  )
  await writeFile(file, text)
  const child = spawn(pathOf('haproxy'), ['-q', '-db', '-f', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return { port, stop: () => endProcess(child) }
}

async function postmasterOf({ data }: Node): Promise<number> {
  return Number((await readFile(join(data, 'postmaster.pid'), 'utf8')).split('\n')[0])
}

/** Kills the processes with all their children, at once: stopped first, none of them can do anything about the death of another. */
async function killAll(processIds: readonly number[]): Promise<void> {
  const all: number[] = []
  for (const processId of processIds) all.push(...(await stopWithChildren(processId)))
  for (const processId of all) send(processId, 'SIGKILL')
}

async function stopWithChildren(processId: number): Promise<number[]> {
  send(processId, 'SIGSTOP')
  const file = await readFile(`/proc/${processId}/task/${processId}/children`, 'utf8').catch(() => '')
  const children = file.trim().split(' ').filter(Boolean).map(Number)
  const all = [processId]
  for (const child of children) all.push(...(await stopWithChildren(child)))
  return all
}

function send(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal)
  } catch {
    // It has ended.
  }
}

const isLeader = ({ role, state }: Member) => role === 'leader' && state === 'running'

function isWhole(members: readonly Member[], demandsSynchronous: boolean): boolean {
  const leader = members.find(isLeader)
  const standbys = members.filter(
    ({ role, state, timeline }) =>
      ['replica', 'sync_standby'].includes(role) &&
      ['running', 'streaming'].includes(state) &&
      timeline === leader?.timeline,
  )
  const followed =
    standbys.length === NODES.length - 1 &&
    standbys.every(({ lag }) => typeof lag === 'number' && lag < 1_000_000)
  return (
    Boolean(leader) &&
    followed &&
    (!demandsSynchronous || standbys.some(({ role }) => role === 'sync_standby'))
  )
}

async function versions(bin: string): Promise<string> {
  const first = async (program: string, flag: string, pattern: RegExp) => {
    const { stdout } = await promisify(execFile)(program, [flag])
    return pattern.exec(stdout)?.[0] ?? program
  }
  const all = await Promise.all([
    first(join(bin, 'postgres'), '--version', /PostgreSQL\) [\d.]+/).then((text) => text.replace(')', '')),
    first(pathOf('patroni'), '--version', /patroni [\d.]+/),
    first(pathOf('etcd'), '--version', /etcd Version: [\d.]+/).then((text) => text.replace(' Version:', '')),
    first(pathOf('haproxy'), '-v', /HAProxy version [\d.]+/).then((text) => text.replace(' version', '')),
  ])
  return all.join(', ')
}
