// Tuning experiments over HTTP: their owners tell of them, others read what was told, and wish that they end.

import type { ExperimentStore, WishResult } from '../store/experimentStore.ts';
import {
  experimentIdForm,
  experimentUpdate,
  type RecordedExperiment,
} from '../../../shared/api/experiment.ts';
import type { Exchange } from '../../http/exchange.ts';
import { readForm } from '../../http/readJson.ts';
import type { Route, RouteCall } from '../http/route.ts';
import { BadRequestError, ExperimentOverError, NotFoundError } from '../../http/httpErrors.ts';

const MAX_UPDATE_BYTES = 16 * 1024 * 1024;
const MAX_EXPERIMENTS = 20;
const MAX_TRIALS = 500;
/** In one part of an experiment; their searched values can be long. */
const MAX_TRIALS_A_PART = 1_000;

/** The newest experiments without their trials: what is asked for every two seconds. */
export function experimentSummaries(experiments: ExperimentStore): Promise<RecordedExperiment[]> {
  return experiments.summaries(MAX_EXPERIMENTS);
}

export function experimentRoutes(experiments: ExperimentStore): Route[] {
  const route = (method: Route['method'], path: string, handle: Route['handle']): Route => ({
    method,
    path: `/api/v1/experiments${path}`,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  return [
    route('GET', '', async (exchange) =>
      exchange.json(200, { experiments: await experiments.latest(MAX_EXPERIMENTS, MAX_TRIALS) }),
    ),
    route('GET', '/:experimentId', async (exchange, call) => {
      const id = idOf(call);
      const found = await experiments.find(id, afterOf(exchange), MAX_TRIALS_A_PART);
      if (!found) throw unknown(id);
      exchange.json(200, found);
    }),
    route('GET', '/:experimentId/curves', async (exchange, call) => {
      const id = idOf(call);
      const curves = await experiments.curves(id);
      if (!curves) throw unknown(id);
      exchange.json(200, curves);
    }),
    route('PUT', '/:experimentId', async (exchange, call) => {
      const experimentId = idOf(call);
      const update = await readForm(experimentUpdate, exchange, MAX_UPDATE_BYTES);
      exchange.json(200, { experimentId, ...(await experiments.save(experimentId, update)) });
    }),
    route('POST', '/:experimentId/stop', async (exchange, call) => {
      const id = idOf(call);
      answerWish(exchange, await experiments.wishStop(id), `experiment ${id}`);
    }),
    route('POST', '/:experimentId/trials/:number/stop', async (exchange, call) => {
      const id = idOf(call);
      const asked = call.params['number'] ?? '';
      const number = Number(asked);
      if (!/^\d{1,10}$/.test(asked) || number > 2_000_000_000)
        throw new BadRequestError('The number of a trial is a whole number from 0', { field: 'number' });
      answerWish(
        exchange,
        await experiments.wishTrialStop(id, number),
        `trial ${number} of experiment ${id}`,
      );
    }),
  ];
}

function idOf({ params }: RouteCall): string {
  const experimentId = experimentIdForm.safeParse(params['experimentId']);
  if (!experimentId.success) throw new BadRequestError('The id of an experiment is a UUID');
  return experimentId.data;
}

/** "?after=NUMBER": the last trial of the part before. */
function afterOf({ search }: Exchange): number {
  const asked = new URLSearchParams(search).get('after');
  if (asked === null) return -1;
  const after = Number(asked);
  if (asked === '' || !Number.isSafeInteger(after) || after < -1 || after > 2_000_000_000)
    throw new BadRequestError('after: must be the number of a trial', { field: 'after' });
  return after;
}

function answerWish(exchange: Exchange, result: WishResult, what: string): void {
  if (result === 'unknown') throw new NotFoundError(`There is no ${what}.`);
  if (result === 'over') throw new ExperimentOverError(`There is nothing to stop: ${what} has ended.`);
  exchange.json(202, { wished: true });
}

function unknown(experimentId: string): NotFoundError {
  return new NotFoundError(`There is no experiment ${experimentId}.`);
}
