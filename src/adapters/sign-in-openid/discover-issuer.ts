import * as openid from 'openid-client'

export interface IssuerClient {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
}

const TIMEOUT_IN_SECONDS = 5

/** Asks the issuer where its endpoints are. Rejects if the document names another issuer, as OpenID Connect Discovery §4.3 demands. */
export function discoverIssuer({
  issuer,
  clientId,
  clientSecret,
}: IssuerClient): Promise<openid.Configuration> {
  const execute = [openid.enableNonRepudiationChecks]
  // The configuration allows this on loopback alone.
  if (new URL(issuer).protocol === 'http:') execute.push(openid.allowInsecureRequests)
  return openid.discovery(new URL(issuer), clientId, clientSecret, openid.ClientSecretBasic(clientSecret), {
    execute,
    timeout: TIMEOUT_IN_SECONDS,
  })
}
