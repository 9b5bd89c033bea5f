import { CheckResult, type DiagnosticCheck } from '../../contracts/diagnostic-check.ts'
import type { KeycloakUserDirectory } from './keycloak-user-directory.ts'

/** An id that no user has: the check is about the access to the directory. */
const NOBODY = '00000000-0000-4000-8000-000000000000'

/** Logs in to Keycloak and looks up a user that does not exist. */
export class KeycloakCheck implements DiagnosticCheck {
  readonly name = 'directory'
  readonly #directory: Pick<KeycloakUserDirectory, 'find'>

  constructor(directory: Pick<KeycloakUserDirectory, 'find'>) {
    this.#directory = directory
  }

  async *run(): AsyncGenerator<CheckResult> {
    try {
      await this.#directory.find(NOBODY)
      yield CheckResult.ok('directory', 'Keycloak accepts the login and allows the lookup of users')
    } catch (error) {
      yield CheckResult.failed(
        'directory',
        (error as Error).message,
        'Check KEYCLOAK_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID and its secret; the service account needs the role view-users of realm-management',
      )
    }
  }
}
