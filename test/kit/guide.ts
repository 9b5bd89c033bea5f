import { readFile } from 'node:fs/promises'

/** A file that the reader of a page saves, under the name in its first line. */
interface GuideFile {
  readonly kind: 'file'
  readonly name: string
  readonly content: string
  readonly section: string
  /** Whose part of the page it is: `koa`, say. The other parts are for everybody. */
  readonly framework: string | undefined
}

/** What the reader types into one of the terminals. */
export interface GuideCommands {
  readonly kind: 'commands'
  readonly terminal: number
  readonly commands: string
  /** The lines that are to be seen then, in this order and among others; `…` is for anything. */
  readonly seen: readonly string[]
  readonly section: string
  readonly framework: string | undefined
}

export type GuideStep = GuideFile | GuideCommands

/** `docs/integration.md`. */
export async function readGuide(): Promise<readonly GuideStep[]> {
  return guideSteps(await readFile(new URL('../../docs/integration.md', import.meta.url), 'utf8'))
}

/** A page as its reader follows it, from top to bottom. @throws {Error} on a snippet that nobody could follow. */
export function guideSteps(page: string): readonly GuideStep[] {
  const steps: GuideStep[] = []
  let section = ''
  let framework: string | undefined
  for (const [whole, heading, language, code] of page.matchAll(
    /^#{2,3} ([^\n]+)$|^```(\w+)\n(.*?)^```$/gms,
  )) {
    if (heading !== undefined) {
      framework = /^With (\w+)$/.exec(heading)?.[1]?.toLowerCase()
      if (!whole.startsWith('###')) section = heading
      continue
    }
    const [first, ...rest] = code!.split('\n')
    const body = rest.join('\n')
    if (language === 'ts' || language === 'jsonc') {
      const name = /^\/\/ (\S+)$/.exec(first!)?.[1]
      if (!name) throw new Error(`a file without a name: ${first}`)
      steps.push({ kind: 'file', name, content: body, section, framework })
    } else if (language === 'sh') {
      const terminal = /^# Terminal (\d)$/.exec(first!)?.[1]
      if (!terminal) throw new Error(`commands without a terminal: ${first}`)
      steps.push({
        kind: 'commands',
        terminal: Number(terminal),
        commands: body,
        seen: [],
        section,
        framework,
      })
    } else if (language === 'text') {
      const before = steps.pop()
      if (before?.kind !== 'commands') throw new Error(`seen, but after no commands: ${first}`)
      steps.push({ ...before, seen: code!.trimEnd().split('\n') })
    }
  }
  return steps
}

/** The first of the lines that the output lacks, or has before the others; undefined if it has all. */
export function lineNotSeen(seen: readonly string[], output: string): string | undefined {
  const lines = output.split(/\r?\n/)
  let from = 0
  return seen.find((line) => {
    const pattern = new RegExp(`^${line.split('…').map(RegExp.escape).join('.*')}$`)
    const found = lines.findIndex((text, index) => index >= from && pattern.test(text))
    from = found + 1
    return found === -1
  })
}
