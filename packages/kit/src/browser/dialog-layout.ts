import type { DialogParts } from './dialog-parts.ts'

/** From the most room to the least: what stays in view while the rest scrolls. */
const LAYOUTS = ['roomy', 'entry', 'compact', 'plain'] as const
/** Lines of the operation that stay in view: how much, and who gets it. */
const LINES_IN_VIEW = 2

/** Keeps amount and payee in view beside the field, at every size of the window and above the keyboard of a phone. */
export class DialogLayout {
  readonly #parts: DialogParts
  #watching: AbortController | undefined
  /** What the layout was chosen by. */
  #arrangedFor = ''

  constructor(parts: DialogParts) {
    this.#parts = parts
  }

  /** Follows the size of the window until {@link stop}. */
  start(): void {
    this.#watching = new AbortController()
    const { signal } = this.#watching
    const follow = () => {
      this.#leaveRoomForTheKeyboard()
      this.#arrange()
    }
    addEventListener('resize', follow, { signal })
    visualViewport?.addEventListener('resize', follow, { signal })
    visualViewport?.addEventListener('scroll', follow, { signal })
    this.#leaveRoomForTheKeyboard()
  }

  stop(): void {
    this.#watching?.abort()
  }

  /** Chooses a layout again if what decides on it has changed. */
  update(): void {
    if (this.#size() !== this.#arrangedFor) this.#arrange()
  }

  /** The keyboard of a phone covers a part of the page, and the page keeps its size. */
  #leaveRoomForTheKeyboard(): void {
    const { style } = this.#parts.dialog
    const seen = visualViewport
    const pageHeight = document.documentElement.clientHeight
    // A user who zooms with two fingers looks at a part on purpose.
    const isCovered = seen && Math.abs(seen.scale - 1) < 0.01 && pageHeight - seen.height > 1
    for (const [name, pixels] of [
      ['--visible-height', seen?.height],
      ['--hidden-above', seen?.offsetTop],
      ['--hidden-below', seen && pageHeight - seen.height - seen.offsetTop],
    ] as const) {
      if (isCovered && pixels !== undefined) style.setProperty(name, `${Math.max(0, pixels ?? 0)}px`)
      else style.removeProperty(name)
    }
  }

  /** Takes the roomiest layout in which the first lines are in view beside the field. */
  #arrange(): void {
    const { dialog, content, form } = this.#parts
    const scrolled = dialog.scrollTop
    for (const layout of form.hidden ? (['plain'] as const) : LAYOUTS) {
      content.dataset.layout = layout
      if (layout === 'plain' || this.#fits(layout)) break
    }
    dialog.scrollTop = scrolled
    this.#arrangedFor = this.#size()
  }

  #fits(layout: 'roomy' | 'entry' | 'compact'): boolean {
    const { dialog, summary, answer, entry } = this.#parts
    if (dialog.scrollHeight <= dialog.clientHeight) return true
    const line = [...summary.children].slice(0, LINES_IN_VIEW).at(-1)
    const bottom = line instanceof HTMLElement ? line.offsetTop + line.offsetHeight : 0
    return bottom + (layout === 'roomy' ? answer : entry).offsetHeight <= dialog.clientHeight
  }

  /** Changes with all that decides on the layout. */
  #size(): string {
    const { dialog, content, form } = this.#parts
    return [dialog.clientWidth, dialog.clientHeight, content.offsetHeight, form.hidden].join()
  }
}
