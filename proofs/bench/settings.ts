import { readConfig } from '../../src/config/read-config.ts'

/** The defaults of the service, but for the mails that one subject may be sent: each round sends every subject another. */
export const { policy: POLICY } = readConfig({ SUBJECT_MAX_ISSUANCES: '1000' })
