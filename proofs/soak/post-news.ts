import { randomUUID } from 'node:crypto'
import type { Dice } from './dice.ts'
import type { Place } from './place.ts'

/** The user and password of Postmark's reports. */
export const WEBHOOK = 'postmark:a password of the soak'

type News = 'delivered' | 'soft-bounce' | 'hard-bounce'

/** Reports about the newest mail of a challenge. */
export async function tellNews(place: Place, challengeId: string, news: News): Promise<void> {
  const { rows } = await place.db.query<{ id: string }>(
    'SELECT id FROM otp_issuances WHERE challenge_id = $1 ORDER BY number DESC LIMIT 1',
    [challengeId],
  )
  await report(place, rows[0]!.id, news, new Date())
}

/**
 * Sends Postmark's reports about an accepted mail. Mostly it was delivered, sometimes reported twice or before the answer. Sometimes
 * it bounced, with the later report first. Sometimes the report is about an unknown mail, or missing. Resolves when the answer to the
 * mail may be sent.
 */
export async function tellOf(
  place: Place,
  mailId: string,
  dice: Dice,
  later: (reporting: Promise<void>) => void,
): Promise<void> {
  const fate = dice.between(0, 1)
  const [now, after] = [new Date(), new Date(Date.now() + 1)]
  if (fate < 0.4) later(report(place, mailId, 'delivered', now))
  else if (fate < 0.55) {
    later(
      Promise.all([report(place, mailId, 'delivered', now), report(place, mailId, 'delivered', now)]).then(
        () => {},
      ),
    )
  } else if (fate < 0.65) await report(place, mailId, 'delivered', now)
  else if (fate < 0.75) {
    later(report(place, mailId, 'soft-bounce', after).then(() => report(place, mailId, 'delivered', now)))
  } else if (fate < 0.8) later(report(place, randomUUID(), 'delivered', now))
}

/** Repeats a report until it is accepted, as Postmark does. */
async function report({ caller }: Place, mailId: string, news: News, at: Date): Promise<void> {
  const time = at.toISOString()
  await caller.answered(
    {
      ...{ step: 'report', about: mailId, said: { news }, path: '/webhooks/postmark' },
      headers: { Authorization: `Basic ${Buffer.from(WEBHOOK).toString('base64')}` },
      json: {
        Metadata: { issuance: mailId },
        ...(news === 'delivered'
          ? { RecordType: 'Delivery', DeliveredAt: time }
          : {
              RecordType: 'Bounce',
              Type: news === 'hard-bounce' ? 'HardBounce' : 'SoftBounce',
              BouncedAt: time,
            }),
      },
    },
    [200],
  )
}
