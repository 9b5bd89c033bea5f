import { ContainerModule } from 'inversify'
import { HtmlLockMailComposer } from '../adapters/mail-composer/html-lock-mail-composer.ts'
import { HtmlOtpMailComposer } from '../adapters/mail-composer/html-otp-mail-composer.ts'
import { HtmlSecurityMailComposer } from '../adapters/mail-composer/html-security-mail-composer.ts'
import { FailoverMailTransport } from '../adapters/mail-failover/failover-mail-transport.ts'
import { PostmarkMailTransport } from '../adapters/mail-postmark/postmark-mail-transport.ts'
import { SmtpMailTransport } from '../adapters/mail-smtp/smtp-mail-transport.ts'
import { MeasuredMailTransport } from '../adapters/metrics-prometheus/measured-mail-transport.ts'
import { Metrics } from '../adapters/metrics-prometheus/metrics.ts'
import { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import { Clock } from '../application/ports/clock.ts'
import { LockMailComposer } from '../application/ports/lock-mail-composer.ts'
import { MailTransport } from '../application/ports/mail-transport.ts'
import { OtpMailComposer } from '../application/ports/otp-mail-composer.ts'
import { SecurityMailComposer } from '../application/ports/security-mail-composer.ts'
import type { MailConfig } from '../config/read-config.ts'
import type { BounceAddresses } from '../contracts/bounce-addresses.ts'
import type { DeliveryOptions } from './composition-options.ts'
import { Bounces, Log, Traces } from './container-keys.ts'

/** How mails are written, and how they leave: by the configured mail systems, or into the mailbox of development. */
export function mail({ config, mailbox }: DeliveryOptions): ContainerModule {
  const { mail: systems } = config
  const letter = { ...config.letter, brands: config.brands }
  return new ContainerModule(({ bind }) => {
    bind(OtpMailComposer).toResolvedValue(
      (tracing) => {
        const composer = new HtmlOtpMailComposer(letter)
        return tracing?.mailComposer(composer) ?? composer
      },
      [Traces],
    )
    bind(LockMailComposer).toResolvedValue(() => new HtmlLockMailComposer(letter))
    bind(SecurityMailComposer).toResolvedValue(() => new HtmlSecurityMailComposer(letter))

    if (systems) {
      bind(MailTransport).toResolvedValue(
        (metrics, tracing, clock, logger, bounceAddresses) => {
          const transports = systems.map((system) => {
            const transport = transportOf(system, bounceAddresses)
            const measured = new MeasuredMailTransport(system.transport, transport, metrics)
            return [system.transport, tracing?.mailTransport(system.transport, measured) ?? measured] as const
          })
          const [first, second] = transports
          return second ? new FailoverMailTransport(transports, clock, logger) : first![1]
        },
        [Metrics, Traces, Clock, Log, Bounces],
      )
    } else {
      bind(MailTransport).toResolvedValue(
        (recordMailEvent, tracing, logger) => {
          if (!mailbox) throw new Error('without a mail system there must be the mailbox of development')
          const transport = mailbox(recordMailEvent, logger)
          return tracing?.mailTransport('mailbox', transport) ?? transport
        },
        [RecordMailEvent, Traces, Log],
      )
    }
  })
}

function transportOf(system: MailConfig, bounceAddresses: BounceAddresses | undefined): MailTransport {
  switch (system.transport) {
    case 'smtp':
      return new SmtpMailTransport({ ...system, bounceAddresses })
    case 'postmark':
      return new PostmarkMailTransport(system)
  }
}
