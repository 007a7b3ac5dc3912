// An answer of the coordinator, asked for when its place changes or it is to be asked for anew.

import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Api } from '../owner/api.browser.ts';

export interface Asked<T> {
  /** The last one that came, also while another is asked for. */
  readonly answer: T | undefined;
  readonly problem: string | undefined;
}

/**
 * @param path undefined: nothing is asked for yet.
 * @param turn asks anew when it changes.
 */
export function useAnswer<T>(api: Api, path: string | undefined, turn = 0): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ answer: undefined, problem: undefined });
  useEffect(() => {
    if (path === undefined) return undefined;
    const over = new AbortController();
    api.get<T>(path, over.signal).then(
      (answer) => setAsked({ answer, problem: undefined }),
      (error: unknown) => {
        if (!over.signal.aborted) setAsked(({ answer }) => ({ answer, problem: messageOf(error) }));
      },
    );
    return () => over.abort();
  }, [api, path, turn]);
  return asked;
}
