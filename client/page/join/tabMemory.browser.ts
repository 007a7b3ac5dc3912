// What a tab remembers while it is loaded anew: that it lends, as which worker, and whether it was paused.

import type { Identity } from '../../control/controlClient.ts';

/** Of this tab alone. */
const KEY = 'tabgrad.lending';

export interface TabMemory {
  readonly isPaused: boolean;
  /** There only from the moment in which the page goes until the next one begins: a copied tab has none. */
  readonly identity?: Identity | undefined;
}

/** What the page before left, with the identity taken out; undefined where it did not lend. */
export function takeTabMemory(): TabMemory | undefined {
  const memory = readTabMemory(sessionStorage.getItem(KEY));
  if (memory) keepTabMemory({ isPaused: memory.isPaused });
  return memory;
}

export function keepTabMemory(memory: TabMemory): void {
  sessionStorage.setItem(KEY, JSON.stringify(memory));
}

export function forgetTabMemory(): void {
  sessionStorage.removeItem(KEY);
}

/** @param text as it was kept; pages of the same address may have changed it. */
function readTabMemory(text: string | null): TabMemory | undefined {
  if (text === null) return undefined;
  try {
    const { isPaused, identity } = {
      ...(JSON.parse(text) as Partial<Record<keyof TabMemory, unknown>> | null),
    };
    const { workerId, secret } = {
      ...(identity as Partial<Record<keyof Identity, unknown>> | null),
    };
    const isWhole = typeof workerId === 'string' && typeof secret === 'string';
    return {
      isPaused: isPaused === true,
      ...(isWhole && { identity: { workerId, secret } }),
    };
  } catch {
    return { isPaused: false };
  }
}
