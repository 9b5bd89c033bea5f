import { writeFile } from 'node:fs/promises'
import { compiled, compileLetter, LETTERS } from './compile-letter.ts'

for (const letter of LETTERS) await writeFile(compiled(letter), await compileLetter(letter))
