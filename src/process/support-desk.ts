import type { CompositionOptions } from '../composition/composition-options.ts'
import type { createSupportDesk } from '../composition/support-desk.ts'

export type OpenSupportDesk = ReturnType<typeof createSupportDesk>

/** The support desk, if it is configured. Otherwise nothing of it is loaded. */
export async function openSupportDesk(
  options: Pick<CompositionOptions, 'config' | 'databaseUrl' | 'development' | 'logger'>,
): Promise<OpenSupportDesk | undefined> {
  const { support } = options.config
  if (!support) return undefined
  const { createSupportDesk } = await import('../composition/support-desk.ts')
  return createSupportDesk(support, options)
}
