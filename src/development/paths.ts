export const MAILBOX = '/dev/mailbox'
export const TOKEN = '/dev/token'
