/** Makes ids that no other instance makes: canonical lower-case UUIDs that rise with time, so that indexes stay dense. */
export abstract class Identifiers {
  abstract next(): string
}
