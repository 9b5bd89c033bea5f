/**
 * The format of user and client ids, which other systems assign: a `sub` of OpenID Connect Core §2, at most 255 ASCII
 * characters. Control characters and outer spaces are excluded, because logs and URLs do not preserve them.
 */
export const IDENTITY = /^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/
