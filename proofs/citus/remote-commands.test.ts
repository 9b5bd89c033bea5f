import test from 'ava'
import { type Execution, nameOf, routeOf, routesOf, type Said, whyNotOneTask } from './remote-commands.ts'

/* The messages are those of Citus 13.2. `npm run citus:prove` compares the same verdicts with a real one. */

const RANGES = new Map([
  ['102018', '2:-2147483648'],
  ['102050', '2:-2147483648'],
  ['102019', '2:-2013265920'],
])

const sent = (command: string, port = 5501): Said => ({
  message: `issuing ${command}`,
  detail: `on server countersign_service@10.0.0.7:${port} connectionId: 1`,
})
const onWorker = (message: string): Said => ({ message, detail: 'from 10.0.0.7:5501' })
const run = (failed: boolean, ...said: Said[]): Execution => ({
  ...{ text: '/* step-ups.load */ SELECT 1', at: 0, failed, said },
})
const judged = (...said: Said[]) => whyNotOneTask(routeOf(run(false, ...said), RANGES))

test('a statement that the coordinator sends once, with what the worker does on the spot, is one task', (t) => {
  t.is(judged(sent('SELECT * FROM public.users_102018 users WHERE bucket = 7')), undefined)
  t.is(
    judged(
      sent(`SELECT public.save_decisions(7, '[{}]'::json)`),
      onWorker('executing the command locally: UPDATE public.challenges_102050 challenges SET …'),
      onWorker('executing the command locally: UPDATE public.subject_standings_102018 …'),
    ),
    undefined,
  )
})

test('a statement that the coordinator runs on a shard of its own is one task', (t) => {
  t.is(
    judged({ message: 'executing the command locally: SELECT * FROM public.users_102018 users' }),
    undefined,
  )
})

test('a statement to several shards, over several nodes or in two phases is not one task', (t) => {
  const read = (shard: number, port?: number) => sent(`SELECT * FROM public.users_${shard} users`, port)

  t.is(judged(read(102018), read(102019, 5502)), '2 tasks on 2 nodes')
  t.is(judged(read(102018), read(102019)), '2 tasks')
  t.is(
    judged(
      sent(
        'BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED;SELECT assign_distributed_transaction_id(0, 1, now())',
      ),
      sent('UPDATE public.users_102018 users SET locale = NULL'),
      sent(`PREPARE TRANSACTION 'citus_0_1_2_0'`),
      sent(`COMMIT PREPARED 'citus_0_1_2_0'`),
    ),
    '3 commands beside its task',
  )
  t.is(judged(), '0 tasks')
})

test('a function that a worker runs with rows of another shard is not one task, even if they are on that worker', (t) => {
  const call = sent('SELECT public.touch_two(7, 8)')

  t.is(
    judged(call, onWorker('issuing UPDATE public.users_102019 users …\nDETAIL:  on server x@10.0.0.8:5502')),
    '1 commands from one worker on',
  )
  t.is(
    judged(
      call,
      onWorker('executing the command locally: UPDATE public.users_102018 users …'),
      onWorker('executing the command locally: UPDATE public.users_102019 users …'),
    ),
    'rows of 2 shards, on one node by chance',
  )
})

test('a call in a session with its server is one task if it commands nothing', (t) => {
  const here = (...said: Said[]): Execution => ({
    ...{ text: '/* step-ups.load-group-here */ SELECT 1', at: 0, failed: false, said },
  })
  const why = (...said: Said[]) => whyNotOneTask(routeOf(here(...said), RANGES), true)

  t.is(nameOf(here().text), 'step-ups.load-group')
  t.is(why(), undefined)
  t.is(why({ message: 'executing the command locally: SELECT 1' }), '1 commands from one worker on')
  t.is(why(sent('SELECT 1'), sent('SELECT 1')), '2 commands from one worker on')
})

test('other messages of the server count for nothing', (t) => {
  t.is(
    judged(sent('SELECT * FROM public.users_102018'), { message: 'table "x" does not exist, skipping' }),
    undefined,
  )
})

test('a statement has the name in its comment, or that of its table', (t) => {
  t.is(nameOf('/* step-ups.load */\n SELECT 1'), 'step-ups.load')
  t.is(
    nameOf(
      'SELECT "public"."users"."email" FROM "public"."users" WHERE ("public"."users"."bucket" = $1 AND "public"."users"."user_id" = $2)',
    ),
    'SELECT users by bucket, user_id',
  )
  t.is(nameOf('BEGIN'), 'BEGIN')
})

test('runs of one statement are counted together, those that failed apart, with why some were not one task', (t) => {
  const one = sent('SELECT 1 FROM public.challenges_102050')

  const routes = routesOf([run(false, one), run(false, one, one), run(true)], RANGES).get('step-ups.load')

  t.deepEqual(routes, { runs: 2, most: 2, nodes: 1, failures: new Map([['2 tasks', 1]]) })
})

test('a group may touch several shards of one node, and what runs while a shard moves counts for nothing', (t) => {
  const group = (at: number, ...said: Said[]): Execution => ({
    ...{ text: '/* step-ups.load-group */ SELECT 1', at, failed: false, said },
  })
  const call = sent(`SELECT * FROM public.load_step_ups(7, '[{}, {}]'::json)`)
  const local = (shard: number) => onWorker(`executing the command locally: SELECT public.users_${shard}`)
  const onward = onWorker('issuing SELECT 1 FROM public.users_102019')

  const all = [
    ...[group(1, call, local(102018), local(102019)), group(2, call, local(102018), onward)],
    ...[group(5, call, local(102018), onward), group(9, call, local(102018), onward)],
  ]
  const routes = routesOf(all, RANGES, [{ from: 3, to: 6 }]).get('step-ups.load-group')

  t.is(routes?.runs, 3)
  t.deepEqual(routes?.failures, new Map([['1 commands from one worker on', 2]]))
})
