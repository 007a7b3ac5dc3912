// The end of messages that are put together.

/** The words with a full stop, unless they end already. */
export function sentence(words: string): string {
  return /[.?!]$/.test(words) ? words : `${words}.`;
}
