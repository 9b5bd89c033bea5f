import { loadWarnings } from '../config/config-warnings.ts'
import { ConfigError } from '../config/read-config.ts'
import { loadSettings, type Setting } from '../config/settings.ts'
import { aligned, type Output, print } from './terminal.ts'

/** Lists every problem of the configuration (2), or each value in force and what to look at (0). */
export function checkConfig(output: Output): number {
  try {
    const settings = loadSettings()
    const warnings = loadWarnings()
    const text = [
      aligned(settings.map(rowOf)),
      ...warnings.map(({ variable, found, remedy }) => `warning: ${variable} ${found}\n         ${remedy}`),
    ]
    print({ problems: [], warnings, settings }, text.join('\n'), output)
    return 0
  } catch (error) {
    if (!(error instanceof ConfigError) || !output.json) throw error
    print({ problems: error.problems }, '', output)
    return 2
  }
}

function rowOf({ name, value = '–', source }: Setting): readonly string[] {
  return [name, source, value]
}
