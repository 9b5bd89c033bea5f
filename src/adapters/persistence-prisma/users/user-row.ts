import type { EmailAddress } from '../../../domain/email-address.ts'
import type { User } from '../../../domain/user.ts'
import { columns, type Joined } from '../row-mapping.ts'

/** The columns that raw statements read, with the letter of the table as prefix. */
export const USER_COLUMNS = columns('u', 'user_id email locale display_name email_changed_at')

export interface UserRow {
  readonly u_user_id: string
  readonly u_email: string
  readonly u_locale: string | null
  readonly u_display_name: string | null
  readonly u_email_changed_at: Date | null
}

export function hasUser(row: Joined<UserRow>): row is UserRow {
  return row.u_user_id !== null
}

export function userOf(row: UserRow): User {
  return {
    userId: row.u_user_id,
    email: row.u_email as EmailAddress,
    locale: row.u_locale ?? undefined,
    displayName: row.u_display_name ?? undefined,
    ...(row.u_email_changed_at && { emailChangedAt: row.u_email_changed_at }),
  }
}
