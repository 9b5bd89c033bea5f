import { isolated } from './isolated.ts'
import { type VisibleText, visible } from './visible-text.ts'
import type { Wording } from './wording.ts'

/**
 * Letters, spaces, hyphens, apostrophes, and dots after initials. An attacker could open an account under the name
 * `call 555 0100` or `evil.example` to make us mail that text. Such users are greeted without a name.
 */
const NAME = /^(?:[\p{L}\p{M} '’-]|\u200C|\u200D|\.(?= |$)){1,60}$/u

/** Greets by name if the directory has a name that is safe to show. */
export function greeting(wording: Wording, displayName: string | undefined): string {
  const name = displayName === undefined ? undefined : greetable(displayName)
  return wording.greeting(name && isolated(name, wording.direction))
}

function greetable(displayName: string): VisibleText | undefined {
  const name = visible(displayName)
  return NAME.test(name) ? name : undefined
}
