import { ContainerModule } from 'inversify'
import { BasicCredentials } from '../adapters/http-koa/webhooks/postmark/basic-credentials.ts'
import { postmarkWebhookRoutes } from '../adapters/http-koa/webhooks/postmark/routes.ts'
import { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import { ReleaseAddress } from '../application/mail/release-address.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Log, Routes } from './container-keys.ts'

/** The routes to which mail systems report. Without credentials for a mail system, it has no route. */
export function webhooks({ config: { postmarkWebhookAuth } }: CompositionOptions): ContainerModule {
  return new ContainerModule(({ bind }) => {
    if (!postmarkWebhookAuth) return
    const credentials = new BasicCredentials(postmarkWebhookAuth)
    bind(Routes).toResolvedValue(
      (recordMailEvent, releaseAddress, logger) =>
        postmarkWebhookRoutes(credentials, { recordMailEvent, releaseAddress }, logger),
      [RecordMailEvent, ReleaseAddress, Log],
    )
  })
}
