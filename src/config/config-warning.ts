/** What an operator should look at, although the service starts. Names variables only, and never a value that may be a secret. */
export interface ConfigWarning {
  readonly variable: string
  /** Continues a sentence that begins with the name of the variable. */
  readonly found: string
  readonly remedy: string
}
