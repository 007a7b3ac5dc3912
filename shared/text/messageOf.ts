// What was thrown, in words: JavaScript lets anything be thrown.

/** The message of an error, or the thrown value as text. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
