import { writeFileSync } from 'node:fs'
import { configurationPage, ENV_EXAMPLE, envExample, PAGE } from './documents.ts'

writeFileSync(PAGE, configurationPage())
writeFileSync(ENV_EXAMPLE, envExample())
