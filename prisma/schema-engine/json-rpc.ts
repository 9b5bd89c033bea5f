import { createInterface } from 'node:readline'

interface Request {
  readonly id: number
  readonly method: string
  readonly params: unknown
}

/** From the range that JSON-RPC 2.0 (section 5.1) leaves to the server. */
const SERVER_ERROR = -32000

/**
 * Answers the requests of the Prisma CLI, a message a line, until it closes stdin.
 *
 * Every failure has to be an answer. When an engine exits before it has answered, the CLI waits for an exit that has
 * already been, runs out of things to do and ends with code 0: a failed migration would look like a success.
 */
export async function serveJsonRpc(
  answer: (method: string, params: unknown) => Promise<unknown>,
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line) as Request
    // The CLI's answer to `print`.
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

/** An error as the CLI shows it. A panic is not called one: the CLI would offer to report it to Prisma. */
export function failure(error: unknown) {
  const { message, code } = error as Error & { code?: string }
  return { is_panic: false, message, error_code: code }
}

/** The engine returns the text of a difference, and the CLI wants to be asked to print it. */
function print(id: number, content: string | null): void {
  if (content) send({ id: `print-${id}`, method: 'print', params: { content } })
}

function send(message: object): void {
  console.log(JSON.stringify({ jsonrpc: '2.0', ...message }))
}
