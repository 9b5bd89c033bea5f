#!/usr/bin/env node
import { existsSync } from 'node:fs'

/*
 * The command `countersign`. In a checkout it runs the TypeScript sources. Node runs no TypeScript under `node_modules`, so the
 * package contains JavaScript that was built from them.
 */

const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  process.stderr.write(`Countersign needs Node.js 24 or later; this is ${process.version}\n`)
  process.exit(2)
}

const sources = new URL('../src/command-line/cli.ts', import.meta.url)
await import(
  existsSync(sources) ? sources.href : new URL('../dist/command-line/cli.js', import.meta.url).href
)
