import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { endProcess } from '../processes.ts'
import { TOOLS, toolCommand } from './installed-tools.ts'

/** Starts Prism between a client and the service. It refuses requests and answers that break the document. */
export async function startPrism(
  document: string,
  serviceUrl: string,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = await freePort()
  const [node, program] = toolCommand('@stoplight/prism-cli/dist/index.js')
  const args = ['proxy', document, serviceUrl, '--errors', '--cors', 'false', '--port', String(port)]
  const child = spawn(node, [program, ...args], { cwd: TOOLS, stdio: ['ignore', 'pipe', 'pipe'] })
  const listening = Promise.withResolvers<void>()
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
      if (line.includes('Prism is listening')) listening.resolve()
    })
  }
  child.once('exit', (code) => listening.reject(new Error(`Prism ended with ${code}: ${output}`)))
  await listening.promise
  return { url: `http://127.0.0.1:${port}`, stop: () => endProcess(child) }
}

/** Prism takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
