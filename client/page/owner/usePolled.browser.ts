// What the coordinator tells at an address, asked for again and again as long as a view shows it.

import { useEffect, useState } from 'preact/hooks';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Api } from './api.browser.ts';

const EVERY_MS = 2_000;

export interface Polled<T> {
  /** The last answer; undefined before the first. */
  readonly answer: T | undefined;
  /** Why the last request was refused, or what became of it. */
  readonly problem: string | undefined;
}

/** @param path where to ask; another one begins anew. */
export function usePolled<T>(api: Api, path: string, everyMs = EVERY_MS): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ answer: undefined, problem: undefined });
  useEffect(() => {
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    setPolled({ answer: undefined, problem: undefined });
    const again = async (): Promise<void> => {
      try {
        const answer = await api.get<T>(path, over.signal);
        setPolled({ answer, problem: undefined });
      } catch (error) {
        if (over.signal.aborted) return;
        setPolled(({ answer }) => ({ answer, problem: messageOf(error) }));
      }
      if (!over.signal.aborted) timer = setTimeout(() => void again(), everyMs);
    };
    void again();
    return () => {
      over.abort();
      clearTimeout(timer);
    };
  }, [api, path, everyMs]);
  return polled;
}
