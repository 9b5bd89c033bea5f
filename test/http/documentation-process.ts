import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { documentationRoutes } from '../../src/adapters/http-koa/documentation/routes.ts'
import { createHttpServer } from '../../src/adapters/http-koa/edge/http-server.ts'
import { InFlightRequests } from '../../src/adapters/http-koa/edge/in-flight-requests.ts'

/** A process that serves the documentation and nothing else, so that its memory can be measured. Sends its port. */
const server = createHttpServer([documentationRoutes()], new InFlightRequests(), pino({ level: 'silent' }))
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send!((server.address() as AddressInfo).port)
process.once('disconnect', () => process.exit())
