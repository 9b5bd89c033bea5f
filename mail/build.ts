import { writeFile } from 'node:fs/promises'
import { COMPILED, compileLetter } from './compile-letter.ts'

await writeFile(COMPILED, await compileLetter())
