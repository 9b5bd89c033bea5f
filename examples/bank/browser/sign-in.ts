/** Signs the visitor in at the bank: with POST as a new customer, with PUT only if they are not signed in. */
export async function signIn(method: 'PUT' | 'POST'): Promise<void> {
  const response = await fetch('/bank/session', { method })
  if (!response.ok) throw new Error('Signing in at the bank failed')
}
