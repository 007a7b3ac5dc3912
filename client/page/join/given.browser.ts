// What this browser gave in all visits, and transferred today, as the browser keeps it for this address.

import { readContribution, type Contribution } from './contribution.ts';

const CONTRIBUTION_KEY = 'tabgrad.contribution';
const DAY_KEY = 'tabgrad.day';

export function keptContribution(): Contribution {
  return readContribution(localStorage.getItem(CONTRIBUTION_KEY));
}

/** @param bytes sent and received today. */
export function keepGiven(given: Contribution, bytes: number): void {
  try {
    localStorage.setItem(CONTRIBUTION_KEY, JSON.stringify(given));
    localStorage.setItem(DAY_KEY, JSON.stringify({ day: today(), bytes }));
  } catch {
    // No room, or private browsing: the sums are of this visit then.
  }
}

const today = (): string => new Date().toISOString().slice(0, 10);

/** Bytes that other visits of today sent and received. */
export function keptToday(): number {
  try {
    const kept = JSON.parse(localStorage.getItem(DAY_KEY) ?? '{}') as { day?: unknown; bytes?: unknown };
    return kept.day === today() && typeof kept.bytes === 'number' && kept.bytes > 0 ? kept.bytes : 0;
  } catch {
    return 0;
  }
}
