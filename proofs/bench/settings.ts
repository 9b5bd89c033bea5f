import { readConfig } from '../../src/config/read-config.ts'

/** The service's defaults, except for the challenges and mails of one subject: each round opens another challenge for every subject. */
export const { policy: POLICY } = readConfig({
  SUBJECT_MAX_ISSUANCES: '1000',
  MAILBOX_MAX_ISSUANCES: '1000',
  SUBJECT_MAX_CHALLENGES: '1000',
})
