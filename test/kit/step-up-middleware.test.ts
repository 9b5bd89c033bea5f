import { createServer } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import test from 'ava'
import express from 'express'
import fastify from 'fastify'
import Koa, { type Context } from 'koa'
import bodyParser from 'koa-bodyparser'
import * as onExpress from '../../packages/kit/src/express.ts'
import * as onFastify from '../../packages/kit/src/fastify.ts'
import * as onKoa from '../../packages/kit/src/koa.ts'
import { type CreateApp, stepUpMiddlewareContract } from '../contracts/step-up-middleware.contract.ts'
import { createDataDir, type ServiceProcess, startProcess } from '../journeys/service-process.ts'
import { createTestDatabase } from '../support/database.ts'

let service: ServiceProcess
let dataDir: Awaited<ReturnType<typeof createDataDir>>

test.before(async () => {
  dataDir = await createDataDir()
  const { url } = await createTestDatabase()
  service = await startProcess({ DATABASE_URL: url, DATA_DIR: dataDir.path })
})

test.after.always(async () => {
  await service?.end()
  await dataDir?.remove()
})

async function* characters(text: string, breaks: boolean): AsyncGenerator<Buffer> {
  for (const character of text) yield Buffer.from(character)
  if (breaks) throw new Error('the stream broke')
}

const streamOf = ({ body, breaks = false }: Awaited<ReturnType<Parameters<CreateApp>[0]['handle']>>) =>
  Readable.from(characters(String(body), breaks))

const koaApp: CreateApp = ({ stepUp, subjectUserId, operation, handle }) => {
  const requestOf = (ctx: Context) => ({ body: ctx.request.body, user: ctx.get('x-user') || undefined })
  const app = new Koa()
  // What fails is told by the status; the tests need no second report of it.
  app.silent = true
  app.use(async (ctx, next) => {
    ctx.set('X-App', 'contract')
    await next()
  })
  app.use(bodyParser())
  app.use(
    onKoa.requireStepUp({
      ...stepUp,
      subjectUserId: (ctx) => subjectUserId(requestOf(ctx)),
      operation: (ctx) => operation(requestOf(ctx)),
    }),
  )
  app.use(async (ctx) => {
    const answer = await handle(onKoa.stepUpOf(ctx), ctx.request.body)
    if (answer.bypasses) {
      ctx.respond = false
      ctx.res.writeHead(answer.status).end()
      return
    }
    ctx.status = answer.status
    ctx.set(answer.headers)
    ctx.body = answer.streamed ? streamOf(answer) : answer.body
  })
  return createServer(app.callback())
}

const expressApp: CreateApp = ({ stepUp, subjectUserId, operation, handle }) => {
  const requestOf = (req: express.Request) => ({ body: req.body, user: req.get('x-user') })
  const app = express()
  app.set('env', 'test')
  app.use((_req, res, next) => {
    res.set('X-App', 'contract')
    next()
  })
  app.use(express.json())
  app.post(
    '/transfers',
    onExpress.requireStepUp({
      ...stepUp,
      subjectUserId: (req) => subjectUserId(requestOf(req)),
      operation: (req) => operation(requestOf(req)),
    }),
    async (req, res) => {
      const answer = await handle(onExpress.stepUpOf(req), req.body)
      if (answer.bypasses) {
        res.socket!.end(`HTTP/1.1 ${answer.status} No Content\r\nConnection: close\r\n\r\n`)
        return
      }
      res.status(answer.status).set(answer.headers)
      if (answer.streamed) pipeline(streamOf(answer), res, () => {})
      else res.json(answer.body)
    },
  )
  return createServer(app)
}

const fastifyApp: CreateApp = async ({ stepUp, subjectUserId, operation, handle }) => {
  const requestOf = (request: { body: unknown; headers: Record<string, unknown> }) => ({
    body: request.body,
    user: request.headers['x-user'] as string | undefined,
  })
  const app = fastify()
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('X-App', 'contract')
  })
  app.post(
    '/transfers',
    onFastify.requireStepUp({
      ...stepUp,
      subjectUserId: (request) => subjectUserId(requestOf(request)),
      operation: (request) => operation(requestOf(request)),
    }),
    async (request, reply) => {
      const answer = await handle(onFastify.stepUpOf(request), request.body)
      if (answer.bypasses) {
        reply.hijack()
        reply.raw.writeHead(answer.status).end()
        return
      }
      return reply
        .code(answer.status)
        .headers(answer.headers)
        .send(answer.streamed ? streamOf(answer) : answer.body)
    },
  )
  await app.ready()
  return app.server
}

stepUpMiddlewareContract('Koa', () => service.url, koaApp)
stepUpMiddlewareContract('Express', () => service.url, expressApp)
stepUpMiddlewareContract('Fastify', () => service.url, fastifyApp)
