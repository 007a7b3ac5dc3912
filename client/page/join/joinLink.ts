// The link that lets others join: the token is in its fragment, which no server sees.

/** @param base address of the coordinator, without a slash at its end. */
export function shortJoinLink(base: string, token: string | undefined): string {
  return token === undefined ? `${base}/join` : `${base}/j#${encodeURIComponent(token)}`;
}

/** What a fragment says: "token=…&name=…", or the token alone. @param hash as in `location.hash`. */
export function readFragment(hash: string): URLSearchParams {
  const text = hash.replace(/^#/, '');
  if (text === '' || text.includes('=')) return new URLSearchParams(text);
  try {
    return new URLSearchParams({ token: decodeURIComponent(text) });
  } catch {
    return new URLSearchParams({ token: text });
  }
}
