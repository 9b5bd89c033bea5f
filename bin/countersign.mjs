#!/usr/bin/env node
import { existsSync } from 'node:fs'

/*
 * The command `countersign`. A checkout runs its sources, which Node does as they are. It refuses to do that under `node_modules`,
 * so a package brings what was built of them instead.
 */

const [major] = process.versions.node.split('.')
if (Number(major) < 24) {
  process.stderr.write(`Countersign needs Node.js 24 or later, and this is ${process.version}\n`)
  process.exit(2)
}

const sources = new URL('../src/command-line/cli.ts', import.meta.url)
await import(
  existsSync(sources) ? sources.href : new URL('../dist/command-line/cli.js', import.meta.url).href
)
