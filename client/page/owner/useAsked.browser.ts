// An answer of the API that changes by what the owner does here: asked for at first, and again when that is said.

import { useEffect, useState } from 'preact/hooks';

/**
 * @param ask one function for as long as the same is asked for.
 * @returns the answer, undefined until it is there, and how to ask again.
 */
export function useAsked<T>(ask: (signal: AbortSignal) => Promise<T>): readonly [T | undefined, () => void] {
  const [answer, setAnswer] = useState<T>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const over = new AbortController();
    // What fails is told by the look at the workers, which asks at the same coordinator.
    ask(over.signal).then(setAnswer, () => undefined);
    return () => over.abort();
  }, [ask, turn]);
  const [again] = useState(() => () => setTurn((known) => known + 1));
  return [answer, again];
}
