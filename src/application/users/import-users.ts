import { DomainError } from '../../domain/domain-error.ts'
import { User, type UserDraft } from '../../domain/user.ts'
import type { Clock } from '../ports/clock.ts'
import type { Provenance } from '../ports/provenance.ts'
import type { UserRegistry } from '../ports/user-directory.ts'

/** One line of an import: the draft of a user, or the problem with the line. */
export type ImportLine = { readonly number: number } & (
  | { readonly draft: UserDraft }
  | { readonly problem: string }
)

export interface ImportReport {
  readonly created: number
  readonly updated: number
  readonly refused: readonly LineFinding[]
  /** Lines that were accepted although not all of them could be read. */
  readonly warned: readonly LineFinding[]
}

interface LineFinding {
  readonly number: number
  /** Names the field and the rule, never the value. */
  readonly problem: string
}

export interface ImportUsersCommand {
  readonly lines: AsyncIterable<ImportLine>
  /** If true, nothing is stored when any line is refused. If false, each line is stored on its own. */
  readonly allOrNothing: boolean
  /** Called with the number of each line, once the line is refused, kept or stored. */
  readonly onLine?: (number: number) => void
}

const PROVENANCE: Provenance = { actor: 'operator:import' }

/** Puts many users into the directory, each as `PutUser` does. */
export class ImportUsers {
  readonly #registry: UserRegistry
  readonly #clock: Clock

  constructor(registry: UserRegistry, clock: Clock) {
    this.#registry = registry
    this.#clock = clock
  }

  async execute({ lines, allOrNothing, onLine = () => {} }: ImportUsersCommand): Promise<ImportReport> {
    const counts = { created: 0, updated: 0 }
    const refused: LineFinding[] = []
    const warned: LineFinding[] = []
    const accepted: User[] = []

    for await (const line of lines) {
      const checked = check(line)
      if ('user' in checked && checked.warning) warned.push(checked.warning)
      if ('problem' in checked) refused.push(checked)
      else if (allOrNothing) accepted.push(checked.user)
      else counts[await this.#registry.put(checked.user, this.#clock.now(), PROVENANCE)]++
      onLine(line.number)
    }
    if (!allOrNothing) return { ...counts, refused, warned }
    if (refused.length > 0) return { created: 0, updated: 0, refused, warned }
    return { ...(await this.#registry.putAll(accepted, this.#clock.now(), PROVENANCE)), refused, warned }
  }
}

function check(
  line: ImportLine,
): LineFinding | { readonly user: User; readonly warning: LineFinding | undefined } {
  const { number } = line
  if ('problem' in line) return { number, problem: line.problem }
  try {
    const unreadable = User.hasUnreadableLocale(line.draft)
    return {
      user: User.parse(line.draft),
      warning: unreadable
        ? { number, problem: 'locale: not a language tag (BCP 47), so the mails are in English' }
        : undefined,
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    const field = 'field' in error ? String(error.field) : 'email'
    return { number, problem: `${field}: ${error.message}` }
  }
}
