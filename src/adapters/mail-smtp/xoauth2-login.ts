import type { SMTPConnectionCustomAuthHandler } from 'nodemailer/lib/smtp-connection'
import type { AccessToken } from './client-credentials.ts'

/**
 * Logs in with an access token (SASL mechanism XOAUTH2 of Google and Microsoft). If the server refuses a token that it took
 * before, the login is repeated once with a new one.
 *
 * nodemailer's own XOAUTH2 renews a token only if the server explains the refusal in a challenge (334), and it cannot get one
 * by client credentials.
 */
export function xoauth2Login(user: string, accessToken: AccessToken): SMTPConnectionCustomAuthHandler {
  return async ({ sendCommand }) => {
    const login = async (token: string): Promise<number> => {
      const response = Buffer.from(`user=${user}\x01auth=Bearer ${token}\x01\x01`).toString('base64')
      const { status } = await sendCommand(`AUTH XOAUTH2 ${response}`)
      // The server explains the refusal first, and waits for an empty line before it refuses.
      return status === 334 ? (await sendCommand('')).status : status
    }

    const token = await accessToken.get()
    let used = token
    let status = await login(token)
    if (status === 535) {
      accessToken.refuse(token)
      used = await accessToken.get()
      if (used !== token) status = await login(used)
    }
    if (status !== 235) throw new Error('The server refused the token')
    accessToken.accept(used)
  }
}
