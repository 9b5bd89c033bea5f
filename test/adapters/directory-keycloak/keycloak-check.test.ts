import test from 'ava'
import { KeycloakCheck } from '../../../src/adapters/directory-keycloak/keycloak-check.ts'
import { DirectoryUnavailable } from '../../../src/application/ports/user-directory.ts'
import { resultsOf } from '../../support/check-results.ts'

test('a Keycloak that knows nobody at an id of nobody is well', async (t) => {
  const asked: string[] = []
  const find = async (userId: string) => {
    asked.push(userId)
    return undefined
  }

  const [finding] = await resultsOf(new KeycloakCheck({ find }))

  t.like(finding, { name: 'directory', level: 'ok' })
  t.regex(asked.join(), /^0{8}-0{4}-4000-8000-0{12}$/)
})

test('a Keycloak that cannot tell is told by its reason, with the variables to look at', async (t) => {
  const find = () => Promise.reject(new DirectoryUnavailable('the token endpoint answered 401'))

  const [finding] = await resultsOf(new KeycloakCheck({ find }))

  t.is(finding?.level, 'failed')
  t.regex(finding?.found ?? '', /answered 401/)
  t.regex(finding?.remedy ?? '', /KEYCLOAK_CLIENT_ID/)
})
