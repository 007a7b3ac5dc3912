// The address of a WebSocket of the coordinator, which may have a path of its own in front (behind a proxy).

/** @param base address of the coordinator without a slash at its end. */
export function socketUrl(base: string, path: string): string {
  const url = new URL(`${base}${path}`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
