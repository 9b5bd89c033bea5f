/** Where and how to connect, in nodemailer's options. */
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
 * Parses the URL itself, because nodemailer accepts options in the query: `?requireTLS=false` or
 * `?tls.rejectUnauthorized=false` would send codes without protection. A certificate that does not verify ends the
 * connection. NODE_EXTRA_CA_CERTS adds a private certificate authority.
 *
 * @throws {TypeError} if the URL cannot be used. The message does not repeat the URL, which holds the password.
 */
export function smtpServer(text: string): SmtpServer {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['smtp:', 'smtps:'].includes(url.protocol) || !url.hostname) {
    throw new TypeError('The SMTP URL must be smtp://host:port or smtps://host:port')
  }
  if (!['', '/'].includes(url.pathname) || url.search || url.hash) {
    throw new TypeError('The SMTP URL must end with the port: it may have no path and no options')
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const secure = url.protocol === 'smtps:'
  const trusted = LOOPBACK.test(host)
  return {
    host,
    ...(url.port && { port: Number(url.port) }),
    ...(url.username && { auth: { user: decoded(url.username), pass: decoded(url.password) } }),
    secure,
    // Relays on this machine seldom have a certificate that verifies, and their traffic never leaves the machine.
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
