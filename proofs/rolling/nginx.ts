import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../src/development/postgres/free-port.ts'
import { until } from '../../test/journeys/client.ts'
import { endProcess } from '../processes.ts'
import { pathOf } from '../programs.ts'
import { configuration } from './configuration.ts'

export interface Nginx {
  readonly url: string
  /** Takes an instance out of use. Resolves when it gets no new requests and has answered all others. */
  without(port: number): Promise<void>
  withAll(): Promise<void>
  stop(): Promise<void>
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

/** nginx with the configuration of deploy/, but without TLS, in front of two instances. */
export async function startNginx(parent: string, ports: readonly [number, number]): Promise<Nginx> {
  const folder = join(parent, 'nginx')
  const port = await freePort()
  await mkdir(folder)
  await writeFile(
    join(folder, 'countersign.conf'),
    await configuration(
      'nginx/countersign.conf',
      [/listen 443 ssl http2;/, `listen 127.0.0.1:${port};`],
      [/(?:^ *ssl_\w+ .*\n)+/m, ''],
    ),
  )
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log warn; worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 512; }
http {
  access_log off;
  ${TEMPORARY.map((each) => `${each}_temp_path ${folder}/${each};`).join(' ')}
  include ${folder}/upstream.conf;
  include ${folder}/countersign.conf;
}
`,
  )
  const address = (each: number, down?: number) => `127.0.0.1:${each}${each === down ? ' down' : ''}`
  const writeUpstream = async (down?: number) => {
    const [first, second] = ports
    await writeFile(
      join(folder, 'upstream.conf'),
      await configuration(
        'nginx/upstream.conf',
        [/10\.0\.0\.11:3000/, address(first, down)],
        [/10\.0\.0\.12:3000/, address(second, down)],
      ),
    )
  }
  await writeUpstream()
  const child = spawn(pathOf('nginx'), ['-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const workers = async () => {
    const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    return children.trim().split(' ').filter(Boolean)
  }
  /** A reload is done when the old workers have finished their requests and are gone. */
  const reload = async () => {
    const before = await workers()
    child.kill('SIGHUP')
    await until(workers, (now) => now.length > 0 && !now.some((pid) => before.includes(pid)))
  }

  const url = `http://127.0.0.1:${port}`
  await until(
    () =>
      fetch(`${url}/.well-known/jwks.json`).then(
        ({ status }) => status,
        () => undefined,
      ),
    (status) => status === 200,
  )
  return {
    url,
    without: async (down) => {
      await writeUpstream(down)
      await reload()
    },
    withAll: async () => {
      await writeUpstream()
      await reload()
    },
    stop: () => endProcess(child, 'SIGQUIT'),
  }
}
