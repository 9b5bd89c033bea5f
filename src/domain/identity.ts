/**
 * The form of the ids of users and clients, as other systems give them: what OpenID Connect Core §2 allows a `sub`
 * to be, 255 ASCII characters, less the control characters and outer spaces that would not survive a log or a URL.
 */
export const IDENTITY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/
