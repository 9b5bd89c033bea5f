import test from 'ava'
import { isInstalled } from '../programs.ts'
import { setScene } from './scene.ts'

const NEEDED = ['etcd', 'haproxy', 'patroni', 'patronictl', 'pg_rewind'] as const
const USERS = 8

/** The short form of `npm run ha:prove`. */
const run = NEEDED.every(isInstalled) ? test : test.skip
run('a switchover and a killed primary under load lose nothing that was answered', async (t) => {
  t.timeout(400_000)
  const { cluster, ledger, users, ready, mailsSent, disagreements, leave } = await setScene()
  t.teardown(leave)

  await users.start(USERS)
  await users.calm()
  await cluster.switchover()
  await users.calm()
  t.deepEqual(await disagreements(), [])

  const dead = await cluster.killPrimary()
  await cluster.successorOf(dead)
  await users.calm()
  t.deepEqual(await disagreements(), [])

  await users.end()
  await ready()
  await mailsSent()
  t.deepEqual(await disagreements(), [])
  t.true(ledger.journeys > 2 * USERS)
  t.true(ledger.attempts.some(({ outcome }) => outcome === 'unavailable'))
})
