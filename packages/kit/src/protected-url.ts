/** The names and addresses of this machine, as a URL writes them. Other names that resolve to it may resolve elsewhere tomorrow. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Reads a URL that credentials or keys travel to or from. Without TLS, everybody on the way could read or replace them, so plain HTTP
 * is for this machine alone.
 *
 * @param name what the error calls it. The error does not quote the URL.
 * @throws {TypeError} if it is not valid, or not protected.
 */
export function protectedUrl(url: string | URL, name: string, allowPlainHttp = false): URL {
  if (!URL.canParse(String(url))) throw new TypeError(`${name} is not a URL`)
  const parsed = new URL(url)
  const isPlain = parsed.protocol === 'http:'
  if (!isPlain && parsed.protocol !== 'https:') throw new TypeError(`${name} must be an http(s) URL`)
  if (isPlain && !allowPlainHttp && !LOOPBACK.test(parsed.hostname)) {
    throw new TypeError(
      `${name} must be an https URL: only this machine may be called over plain HTTP. If the network encrypts by itself, set allowPlainHttp`,
    )
  }
  return parsed
}
