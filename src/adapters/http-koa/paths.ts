/* Where each resource is. Routes and the API's document start from here, so a prefix is written once. */

const MFA = '/internal/v1/mfa'

export const CHALLENGES = `${MFA}/challenges`
export const TOTP_EMAIL = `${MFA}/totp-email`
export const USERS = `${MFA}/users`
export const WEBHOOKS = `${MFA}/webhooks`
export const EVENTS = `${MFA}/events`
export const POSTMARK_WEBHOOK = '/webhooks/postmark'
export const HEALTHZ = '/healthz'
export const READYZ = '/readyz'
export const JWKS = '/.well-known/jwks.json'
export const OPENAPI = '/openapi.json'
export const DOCS = '/docs'
export const SUPPORT = '/support'
