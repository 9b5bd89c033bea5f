import { writeFile } from 'node:fs/promises'
import { apiDocument, DOCUMENT } from './document.ts'

await writeFile(DOCUMENT, await apiDocument())
