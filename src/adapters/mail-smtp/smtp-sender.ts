import addressparser from 'nodemailer/lib/addressparser'

export interface SmtpSender {
  readonly name: string
  readonly address: string
  readonly domain: string
}

/** Allows a domain of one label: in development the sender is `no-reply@localhost`. */
const ADDRESS = /^[^\s@<>"(),:;[\]\\]+@([A-Za-z0-9.-]+)$/

/** @throws {TypeError} unless `text` is one mailbox. */
export function smtpSender(text: string): SmtpSender {
  const [mailbox, ...others] = addressparser(text)
  const domain = ADDRESS.exec(mailbox?.address ?? '')?.[1]
  if (mailbox?.address === undefined || domain === undefined || others.length > 0) {
    throw new TypeError('The sender must be one mailbox, as in Countersign <no-reply@bank.example>')
  }
  return { name: mailbox.name, address: mailbox.address, domain }
}
