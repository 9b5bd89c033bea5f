import { createPrivateKey, type KeyObject } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import DKIM from 'nodemailer/lib/dkim'

/** A private RSA key (RFC 8301 §3.2: of 2,048 bits or more), as PKCS #8 in DER, and the selector of its TXT record. */
export interface DkimKey {
  readonly id: string
  readonly bytes: Uint8Array
}

/** A key, and the domain in lower case whose mails it signs. */
export interface DkimKeyOfDomain extends DkimKey {
  readonly domain: string
}

/** The header fields that a reader sees, or that decide how a mail is read (RFC 6376 §5.4.1). */
const SIGNED = 'From:Reply-To:To:Subject:Date:Message-ID:MIME-Version:Content-Type:Auto-Submitted'

/**
 * Signs mails for the domain of their sender (RFC 6376), so that DMARC passes however its alignment is set.
 *
 * @throws {TypeError} if the key is none; the message does not repeat it.
 */
export function dkimSigner({ id, bytes }: DkimKey, domain: string): (mail: Buffer) => Promise<Buffer> {
  const dkim = new DKIM({
    domainName: domain,
    keySelector: id,
    privateKey: rsaKey(bytes),
    headerFieldNames: SIGNED,
  })
  return async (mail) => {
    const signed = await buffer(dkim.sign(mail))
    // nodemailer sends a mail unsigned if the signature fails.
    if (!signed.subarray(0, HEADER.length).equals(HEADER)) throw new TypeError('The mail could not be signed')
    return signed
  }
}

const HEADER = Buffer.from('DKIM-Signature:')

function rsaKey(bytes: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(bytes), format: 'der', type: 'pkcs8' })
  } catch {
    throw new TypeError('The key for DKIM must be a private key, as PKCS #8 in DER')
  }
}
