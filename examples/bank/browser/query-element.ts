/** The one element of the page that the selector names. @throws {TypeError} if there is none of that kind. */
export function part<Kind extends HTMLElement = HTMLElement>(
  selector: string,
  kind: new () => Kind = HTMLElement as unknown as new () => Kind,
): Kind {
  const found = document.querySelector(selector)
  if (found instanceof kind) return found
  throw new TypeError(`the page has no ${selector}`)
}
