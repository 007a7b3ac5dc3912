// Which run the user means: its id, the beginning of its id, or its name.

import { RunUnknownError } from '../core/run/runErrors.ts';
import { runsAnswer, type RunSummary } from '../../shared/api/runAnswers.ts';
import { askForJson, type CoordinatorAddress } from '../cluster/remote/askCoordinator.ts';
import { didYouMean } from './cliErrors.ts';

const SHORTEST_PREFIX = 4;

/** @throws RunUnknownError with the nearest name. */
export async function findRun(word: string, address: CoordinatorAddress): Promise<RunSummary> {
  const { runs } = await askForJson(address, 'api/v1/runs', runsAnswer);
  const found = chooseRun(word, runs);
  if (found !== undefined) return found;
  const names = [...new Set(runs.flatMap(({ runId, name }) => [name, runId]))];
  const there = runs.length === 0 ? ' It has none.' : didYouMean(word, names);
  throw new RunUnknownError(`The coordinator at ${address.url} has no run "${word}".${there}`);
}

/** Of several with the same name, the one that was started last. */
export function chooseRun(word: string, runs: readonly RunSummary[]): RunSummary | undefined {
  const exact = runs.find(({ runId }) => runId === word) ?? runs.findLast(({ name }) => name === word);
  if (exact !== undefined || word.length < SHORTEST_PREFIX) return exact;
  const begun = runs.filter(({ runId }) => runId.startsWith(word));
  return begun.length === 1 ? begun[0] : undefined;
}
