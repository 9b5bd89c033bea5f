import type { MailMessage, OtpMailComposer, OtpNotice } from '../../application/ports/otp-mail-composer.ts'
import { ENGLISH } from './english.ts'
import { htmlBody } from './html-body.ts'
import { otpLetter } from './otp-letter.ts'
import { textBody } from './text-body.ts'

/** Fills the details of a notice into a mail of fixed words. */
export class HtmlOtpMailComposer implements OtpMailComposer {
  compose(notice: OtpNotice): Pick<MailMessage, 'subject' | 'text' | 'html'> {
    const letter = otpLetter(notice, ENGLISH)
    return {
      subject: ENGLISH.subject(notice.reference),
      text: textBody(letter),
      html: htmlBody(letter),
    }
  }
}
