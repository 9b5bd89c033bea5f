import { writeFile } from 'node:fs/promises'
import { delegatedFunctions } from '../../src/adapters/persistence-prisma/sharding/delegated-functions.ts'
import { plainFunctions } from './plain-functions.ts'

/* `npm run citus:build`: writes the parts of `deploy/citus` that follow from the code and the migrations. */

const FOLDER = new URL('../../deploy/citus/', import.meta.url)

await writeFile(new URL('decisions.sql', FOLDER), delegatedFunctions())
await writeFile(new URL('plain-functions.sql', FOLDER), await plainFunctions())
