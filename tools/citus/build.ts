import { writeFile } from 'node:fs/promises'
import { delegatedFunctions } from '../../src/adapters/persistence-prisma/sharding/delegated-functions.ts'

await writeFile(new URL('../../deploy/citus/decisions.sql', import.meta.url), delegatedFunctions())
