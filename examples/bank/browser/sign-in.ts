/** Signs the visitor in at the bank; with POST as somebody new, with PUT only if they are not in already. */
export async function enter(method: 'PUT' | 'POST'): Promise<void> {
  const response = await fetch('/bank/session', { method })
  if (!response.ok) throw new Error('The bank lets nobody in')
}
