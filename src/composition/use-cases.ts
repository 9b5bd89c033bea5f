import { ContainerModule } from 'inversify'
import { AuditChallenge } from '../application/challenges/audit-challenge.ts'
import { CancelChallenge } from '../application/challenges/cancel-challenge.ts'
import { ConsumeChallenge } from '../application/challenges/consume-challenge.ts'
import { InspectChallenge } from '../application/challenges/inspect-challenge.ts'
import { OpenChallenge } from '../application/challenges/open-challenge.ts'
import { IssueOtp } from '../application/codes/issue-otp.ts'
import { VerifyOtp } from '../application/codes/verify-otp.ts'
import { LiftSuppression } from '../application/mail/lift-suppression.ts'
import { RecordMailEvent } from '../application/mail/record-mail-event.ts'
import { ReleaseAddress } from '../application/mail/release-address.ts'
import { AuditTrail } from '../application/ports/audit-trail.ts'
import { ChallengeSigner } from '../application/ports/challenge-signer.ts'
import { Clock } from '../application/ports/clock.ts'
import { DeliverySignal } from '../application/ports/delivery-signal.ts'
import { Identifiers } from '../application/ports/identifiers.ts'
import { MailOutcomes } from '../application/ports/mail-outcomes.ts'
import { Retention } from '../application/ports/retention.ts'
import { Standings } from '../application/ports/standings.ts'
import { StepUps } from '../application/ports/step-ups.ts'
import { SubjectRecords } from '../application/ports/subject-records.ts'
import { SupportSearch } from '../application/ports/support-search.ts'
import { Suppressions } from '../application/ports/suppressions.ts'
import { Totp } from '../application/ports/totp.ts'
import { AnchorSigner, AnchorVerifier, TrailAnchors } from '../application/ports/trail-anchors.ts'
import { UserDirectory } from '../application/ports/user-directory.ts'
import { PurgeChallenges } from '../application/retention/purge-challenges.ts'
import { ExportSubject } from '../application/support/export-subject.ts'
import { FindMarkedChallenges } from '../application/support/find-marked-challenges.ts'
import { FindSubjectsOfMailbox } from '../application/support/find-subjects-of-mailbox.ts'
import { ListChallenges } from '../application/support/list-challenges.ts'
import { UnlockSubject } from '../application/support/unlock-subject.ts'
import { AnchorTrail } from '../application/trail/anchor-trail.ts'
import { FindUser } from '../application/users/find-user.ts'
import { bindClass } from './bind-class.ts'
import type { CompositionOptions } from './composition-options.ts'
import { Brands, Policy } from './container-keys.ts'

/**
 * The use cases of the requests. Some more, which depend on where the users are kept, are in users.ts. Those that send mails are in
 * delivery.ts.
 */
export function useCases({
  config: { policy, brands, retention: periods },
}: Pick<CompositionOptions, 'config'>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(Policy).toConstantValue(policy)
    bind(Brands).toConstantValue(brands)

    bindClass(bind, OpenChallenge, [StepUps, ChallengeSigner, Identifiers, Clock, Policy])
    bindClass(bind, IssueOtp, [StepUps, Totp, Identifiers, DeliverySignal, Clock, Policy])
    bindClass(bind, VerifyOtp, [StepUps, Totp, Identifiers, Clock, Policy])
    bindClass(bind, InspectChallenge, [StepUps, Clock, Policy, Brands])
    bindClass(bind, ConsumeChallenge, [StepUps, ChallengeSigner, Clock])
    bindClass(bind, CancelChallenge, [StepUps, Clock])
    bindClass(bind, AuditChallenge, [StepUps, AuditTrail])
    bindClass(bind, FindUser, [UserDirectory])

    bindClass(bind, ListChallenges, [SupportSearch, Clock])
    bindClass(bind, FindMarkedChallenges, [SupportSearch, Clock])
    bindClass(bind, FindSubjectsOfMailbox, [SupportSearch])
    bindClass(bind, ExportSubject, [SubjectRecords, Clock])
    bindClass(bind, UnlockSubject, [Standings, UserDirectory, Clock])

    bindClass(bind, RecordMailEvent, [MailOutcomes, Clock])
    bindClass(bind, LiftSuppression, [Suppressions, Clock])
    bindClass(bind, ReleaseAddress, [Suppressions, Clock])

    bindClass(bind, AnchorTrail, [TrailAnchors, AnchorSigner, AnchorVerifier, Clock])
    bind(PurgeChallenges).toResolvedValue(
      (retention, clock) => new PurgeChallenges(retention, clock, periods),
      [Retention, Clock],
    )
  })
}
