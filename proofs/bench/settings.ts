import { readConfig } from '../../src/config/read-config.ts'

/** The service's defaults, except for the number of mails for one subject: each round sends every subject another mail. */
export const { policy: POLICY } = readConfig({ SUBJECT_MAX_ISSUANCES: '1000' })
