// A request to an application as a command of a shell.

/** @param hasKey the key is taken from TABGRAD_API_KEY, and is not part of the command. */
export function curlCommand(url: string, body: string, hasKey: boolean): string {
  const key = hasKey ? `-H "Authorization: Bearer $TABGRAD_API_KEY" ` : '';
  return `curl ${key}-H 'Content-Type: application/json' -d ${quoted(body)} ${quoted(url)}`;
}

/** In single quotes a shell takes everything as it is, but for the quote. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
