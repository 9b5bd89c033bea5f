/**
 * The roles in a claim, which is one text with blanks between them, or a list. A claim of the whole name counts first, because the names
 * of some issuers are URLs; then dots lead into claims within claims. Empty without such a claim.
 */
export function rolesIn(claims: Readonly<Record<string, unknown>>, claim: string): ReadonlySet<string> {
  const value = ownValue(claims, claim) ?? claim.split('.').reduce<unknown>(ownValue, claims)
  if (typeof value === 'string') return new Set(value.split(' '))
  return new Set(Array.isArray(value) ? value.filter((role) => typeof role === 'string') : [])
}

function ownValue(parent: unknown, name: string): unknown {
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, name)
    ? (parent as Record<string, unknown>)[name]
    : undefined
}
