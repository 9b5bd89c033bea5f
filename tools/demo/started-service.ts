import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SERVICE = fileURLToPath(new URL('../../bin/service.mjs', import.meta.url))

export interface StartedService {
  readonly url: string
  stop(): Promise<void>
}

/** Starts a service on free ports. The caller stops it after the demonstration. */
export async function startedService(env: Readonly<Record<string, string>> = {}): Promise<StartedService> {
  const service = spawn(process.execPath, [SERVICE], {
    env: { ...process.env, PORT: '0', MANAGEMENT_PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: service.stdout })) {
    const ready = /ready at (\S+)/.exec(line)
    if (!ready) continue
    service.stdout.resume()
    return {
      url: ready[1]!,
      stop: async () => {
        service.kill('SIGTERM')
        await once(service, 'exit')
      },
    }
  }
  throw new Error('the service did not start')
}
