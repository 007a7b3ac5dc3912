// What every view of the dashboard is given, and how an address names a view.

import type { StatusAnswer } from '../../../shared/api/statusAnswer.ts';
import type { WorkerSummary } from '../../../shared/api/workerAnswers.ts';
import type { Act, Api } from './api.browser.ts';
import type { Rates } from './rates.ts';

/** The coordinator as the last look at it saw it. */
export interface Look {
  readonly status: StatusAnswer;
  readonly workers: readonly WorkerSummary[];
}

export interface ViewProps {
  readonly api: Api;
  readonly act: Act;
  readonly look: Look;
  /** Of this look and those before it. */
  readonly rates: Rates;
  /** The ids after the view's name in the address. */
  readonly ids: readonly string[];
}

export interface Place {
  /** The first word of the fragment: "runs" of "#/runs/ID"; empty for the overview. */
  readonly view: string;
  readonly ids: readonly string[];
}

/** @param fragment "#/", "#/swarm", "#/runs/ID", "#/runs/ID/ID"; ids are percent-encoded. */
export function placeOf(fragment: string): Place {
  const [view = '', ...ids] = fragment.replace(/^#?\/?/, '').split('/');
  return { view, ids: ids.filter((id) => id !== '').map(decoded) };
}

/** The fragment of a place. */
export function addressOf(view: string, ...ids: readonly string[]): string {
  return `#/${[view, ...ids.map(encodeURIComponent)].join('/')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
