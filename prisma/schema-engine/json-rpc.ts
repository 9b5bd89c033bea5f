import { createInterface } from 'node:readline'

interface Request {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

/** In the range that JSON-RPC 2.0 (section 5.1) reserves for server errors. */
const SERVER_ERROR = -32000

/**
 * Answers the requests of the Prisma CLI, one message per line, until the CLI closes stdin.
 *
 * Every failure must be answered. If the engine exits without an answer, the CLI waits for an exit that has already happened, runs
 * out of work and ends with code 0: a failed migration would look like a success.
 */
export async function serveJsonRpc(
  answer: (method: string, params: unknown) => Promise<unknown>,
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line) as Request
    // This is the CLI's answer to `print`.
    if (method === undefined) continue
    try {
      const result = await answer(method, params)
      if (method === 'diff') print(id, (result as { stdout: string | null }).stdout)
      send({ id, result: result ?? null })
    } catch (error) {
      send({ id, error: { code: SERVER_ERROR, message: 'The request failed', data: failure(error) } })
    }
  }
}

/** The error that the CLI shows. `is_panic` is always false: otherwise the CLI offers to report the error to Prisma. */
export function failure(error: unknown) {
  const { message, code } = error as Error & { code?: string }
  return { is_panic: false, message, error_code: code }
}

/** The engine returns the text of a diff, but the CLI prints it only on request. */
function print(id: number, content: string | null): void {
  if (content) send({ id: `print-${id}`, method: 'print', params: { content } })
}

function send(message: object): void {
  console.log(JSON.stringify({ jsonrpc: '2.0', ...message }))
}
