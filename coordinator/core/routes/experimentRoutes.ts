// Tuning experiments over HTTP: their owners tell of them, and others read what was told.

import type { ExperimentStore } from '../store/experimentStore.ts';
import {
  experimentIdForm,
  experimentUpdate,
  type RecordedExperiment,
} from '../../../shared/api/experiment.ts';
import { readForm } from '../../http/readJson.ts';
import type { Route } from '../http/route.ts';
import { BadRequestError } from '../../http/httpErrors.ts';

const MAX_UPDATE_BYTES = 16 * 1024 * 1024;
const MAX_EXPERIMENTS = 20;
const MAX_TRIALS = 500;

/** The newest experiments, as far as one answer has room. */
export function latestExperiments(experiments: ExperimentStore): Promise<RecordedExperiment[]> {
  return experiments.latest(MAX_EXPERIMENTS, MAX_TRIALS);
}

export function experimentRoutes(experiments: ExperimentStore): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v1/experiments',
      access: 'admin',
      traffic: 'api',
      handle: async (exchange) => exchange.json(200, { experiments: await latestExperiments(experiments) }),
    },
    {
      method: 'PUT',
      path: '/api/v1/experiments/:experimentId',
      access: 'admin',
      traffic: 'api',
      async handle(exchange, { params }) {
        const experimentId = experimentIdForm.safeParse(params['experimentId']);
        if (!experimentId.success) throw new BadRequestError('The id of an experiment is a UUID');
        const update = await readForm(experimentUpdate, exchange, MAX_UPDATE_BYTES);
        await experiments.save(experimentId.data, update);
        exchange.json(200, { experimentId: experimentId.data });
      },
    },
  ];
}
