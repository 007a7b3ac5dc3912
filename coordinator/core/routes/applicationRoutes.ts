// Served applications over HTTP: their servers tell of them, owners read that and try a request.

import {
  applicationNameForm,
  servingReport,
  tryRequest,
  type ApplicationAnswer,
  type ApplicationsAnswer,
  type ExampleAnswer,
  type ToldApplication,
} from '../../../shared/api/servingAnswers.ts';
import { BadRequestError, NotFoundError } from '../../http/httpErrors.ts';
import { readForm } from '../../http/readJson.ts';
import type { Route, RouteCall } from '../http/route.ts';
import { exampleRow } from '../serving/exampleRow.ts';
import type { ServingBoard } from '../serving/servingBoard.ts';
import { RECENT_SECONDS } from '../serving/servingHistory.ts';
import { tryApplication } from '../serving/tryApplication.ts';
import type { DatasetStore } from '../store/datasetStore.ts';
import type { RecordedApplication } from '../store/serveRecord.ts';

const MAX_REPORT_BYTES = 1024 * 1024;
const MAX_TRY_BYTES = 1024 * 1024;
/** Datasets that are looked through for a row to try. */
const MAX_EXAMPLE_DATASETS = 20;

export interface ApplicationSource {
  readonly board: ServingBoard;
  readonly recorded: () => Promise<RecordedApplication[]>;
  readonly datasets: Pick<DatasetStore, 'summaries'>;
}

export function applicationRoutes(source: ApplicationSource): Route[] {
  const { board } = source;
  const route = (method: Route['method'], path: string, handle: Route['handle']): Route => ({
    method,
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  const place = '/api/v1/applications/:name';
  return [
    route('GET', '/api/v1/applications', async (exchange) => {
      const answer: ApplicationsAnswer = { applications: await allApplications(source) };
      exchange.json(200, answer);
    }),
    route('GET', place, async (exchange, { params }) => {
      const { name = '' } = params;
      const application = (await allApplications(source)).find((one) => one.name === name);
      if (!application) throw unknown(name);
      const answer: ApplicationAnswer = {
        ...application,
        pointSeconds: board.pointSeconds,
        points: board.points(name),
      };
      exchange.json(200, answer);
    }),
    route('GET', `${place}/example`, async (exchange, { params }) => {
      const model = board.heard(params['name'] ?? '')?.report.model;
      const example = model && exampleRow(model, await source.datasets.summaries(MAX_EXAMPLE_DATASETS));
      const answer: ExampleAnswer = example ? { example } : {};
      exchange.json(200, answer);
    }),
    route('PUT', place, async (exchange, call) => {
      const name = nameOf(call);
      await board.hear(name, await readForm(servingReport, exchange, MAX_REPORT_BYTES), exchange.address);
      exchange.json(200, { name });
    }),
    route('POST', `${place}/forget`, async (exchange, call) => {
      const name = nameOf(call);
      await board.forget(name);
      exchange.json(200, { name });
    }),
    route('POST', `${place}/try`, async (exchange, { params }) => {
      const { name = '' } = params;
      const heard = board.heard(name);
      if (!heard) throw unknown(name);
      const asked = await readForm(tryRequest, exchange, MAX_TRY_BYTES);
      exchange.json(200, await tryApplication(heard, { ...asked, signal: exchange.signal }));
    }),
  ];
}

/** Those that were told of, and those that are only recorded as deployed. */
async function allApplications({ board, recorded }: ApplicationSource): Promise<ToldApplication[]> {
  const told = board.applications();
  const known = new Set(told.map(({ name }) => name));
  const others = (await recorded()).filter(({ name }) => !known.has(name));
  const nothing = { seconds: RECENT_SECONDS, requests: 0, errors: 0 };
  return [
    ...told,
    ...others.map(({ name, routePrefix, status, message }) => ({
      name,
      routePrefix,
      status,
      message,
      recent: nothing,
    })),
  ];
}

function nameOf({ params }: RouteCall): string {
  const name = applicationNameForm.safeParse(params['name']);
  if (name.success) return name.data;
  throw new BadRequestError(
    'The name of an application has letters, digits, "_", "-" and "." only, at most 100.',
  );
}

function unknown(name: string): NotFoundError {
  return new NotFoundError(`No application "${name.slice(0, 100)}" is known here.`);
}
