/** Variables by their names, as of a process. */
export type Environment = Readonly<Record<string, string | undefined>>
