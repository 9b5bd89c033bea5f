/** The element of the page that matches the selector. @throws {TypeError} if the page has no such element of this kind. */
export function queryElement<Kind extends HTMLElement = HTMLElement>(
  selector: string,
  kind: new () => Kind = HTMLElement as unknown as new () => Kind,
): Kind {
  const found = document.querySelector(selector)
  if (found instanceof kind) return found
  throw new TypeError(`the page has no ${selector}`)
}
