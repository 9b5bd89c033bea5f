/** Where and how to connect, as nodemailer wants it. */
export interface SmtpServer {
  readonly host: string
  readonly port?: number
  readonly auth?: { readonly user: string; readonly pass: string }
  readonly secure: boolean
  readonly requireTLS: boolean
  readonly ignoreTLS: boolean
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i

/**
 * Read here and not by nodemailer, whose URLs carry options in their query: `?requireTLS=false` or
 * `?tls.rejectUnauthorized=false` would send codes in the clear. A certificate that does not verify ends the
 * connection; a private authority is trusted by NODE_EXTRA_CA_CERTS.
 *
 * @throws {TypeError}
 */
export function smtpServer(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || !url.hostname) {
    throw new TypeError('The SMTP URL must be smtp://host:port or smtps://host:port')
  }
  if (!['', '/'].includes(url.pathname) || url.search || url.hash) {
    throw new TypeError('The SMTP URL must end with the port: it takes no path and no options')
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const secure = url.protocol === 'smtps:'
  const trusted = LOOPBACK.test(host)
  return {
    host,
    ...(url.port && { port: Number(url.port) }),
    ...(url.username && { auth: { user: decoded(url.username), pass: decoded(url.password) } }),
    secure,
    // Relays on this machine seldom have a certificate that verifies, and the wire to them is not a wire.
    requireTLS: !secure && !trusted,
    ignoreTLS: trusted,
  }
}

function decoded(credential: string): string {
  try {
    return decodeURIComponent(credential)
  } catch {
    throw new TypeError('User and password in the SMTP URL must be percent-encoded: % itself is %25')
  }
}
