// The registry of schema migrations: numbered, only ever forward, each applied once and recorded in the database.
// A new one is a file here and a line in the table; one that was released is never changed.

import type { Kysely, Migration } from 'kysely';

import { m0001Runs } from './m0001Runs.ts';
import { m0002Deployments } from './m0002Deployments.ts';
import { m0003Experiments } from './m0003Experiments.ts';
import { m0004Bans } from './m0004Bans.ts';
import { m0005Datasets } from './m0005Datasets.ts';
import { m0006Serving } from './m0006Serving.ts';
import { m0007EventTimes } from './m0007EventTimes.ts';
import { m0008TrialCurves } from './m0008TrialCurves.ts';
import { m0009Trust } from './m0009Trust.ts';
import { m0010Invitations } from './m0010Invitations.ts';

const steps: Readonly<Record<string, (db: Kysely<unknown>) => Promise<void>>> = {
  '0001-runs': m0001Runs,
  '0002-deployments': m0002Deployments,
  '0003-experiments': m0003Experiments,
  '0004-bans': m0004Bans,
  '0005-datasets': m0005Datasets,
  '0006-serving': m0006Serving,
  '0007-eventTimes': m0007EventTimes,
  '0008-trial-curves': m0008TrialCurves,
  '0009-trust': m0009Trust,
  '0010-invitations': m0010Invitations,
};

/** In the form of Kysely's Migrator, which applies them in the order of their names. */
export const migrations: Readonly<Record<string, Migration>> = Object.fromEntries(
  Object.entries(steps).map(([name, up]) => [name, { up }]),
);
