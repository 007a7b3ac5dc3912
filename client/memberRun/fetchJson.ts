// A JSON blob by its hash.

import type { SessionEnvironment } from './sessionEnvironment.ts';

export async function fetchJson(
  environment: Pick<SessionEnvironment, 'fetchBlob'>,
  sha256: string,
  signal: AbortSignal,
): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await environment.fetchBlob(sha256, { signal })));
}
