// The scores of trials over their iterations in the record: each trial's in one row, thinned when it is written, so that
// neither the record nor an answer grows with the number of iterations.

import type { Kysely, Transaction } from 'kysely';
import { MAX_CURVE_POINTS, type CurvesAnswer, type TrialUpdate } from '../../../shared/api/experiment.ts';
import { joinedCurve, thinnedCurve, type TrialReportPoint } from '../../../shared/api/trialCurve.ts';
import type { StoreSchema } from './storeSchema.ts';

/** Of the thinner form that pictures of many trials are made from. */
const OUTLINE_POINTS = 32;
const OUTLINE_DIGITS = 7;
/** Up to so many trials an answer has all that the record keeps of each. */
const MAX_WHOLE_CURVES = 128;
/** Lines in one picture; more could not be told apart. */
const MAX_CURVES = 2_000;
/** Databases take so many values in a statement at most. */
const ROWS_A_STATEMENT = 100;

/** Adds what is new of the trials that reported. */
export async function writeCurves(
  transaction: Transaction<StoreSchema>,
  experimentId: string,
  trials: readonly TrialUpdate[],
): Promise<void> {
  const reported = trials.filter(({ reports }) => reports !== undefined);
  for (let first = 0; first < reported.length; first += ROWS_A_STATEMENT) {
    const part = reported.slice(first, first + ROWS_A_STATEMENT);
    const rows = await transaction
      .selectFrom('trial_curves')
      .select(['number', 'points'])
      .where('experiment_id', '=', experimentId)
      .where(
        'number',
        'in',
        part.map(({ number }) => number),
      )
      .execute();
    const known = new Map(rows.map(({ number, points }) => [number, pointsOf(points)]));
    const values = part.map(({ number, iterations, reports = [] }) => {
      const joined = joinedCurve(known.get(number) ?? [], reports, iterations);
      const points = thinnedCurve(joined, MAX_CURVE_POINTS);
      const outline = thinnedCurve(points, OUTLINE_POINTS).map(([at, score]) => [
        at,
        Number(score.toPrecision(OUTLINE_DIGITS)),
      ]);
      return {
        experiment_id: experimentId,
        number,
        points: JSON.stringify(points),
        outline: JSON.stringify(outline),
      };
    });
    await transaction
      .insertInto('trial_curves')
      .values(values)
      .onConflict((on) =>
        on.columns(['experiment_id', 'number']).doUpdateSet((row) => ({
          points: row.ref('excluded.points'),
          outline: row.ref('excluded.outline'),
        })),
      )
      .execute();
  }
}

/** Of all trials, or of very many the best ones. @param order of scores, best first. */
export async function readCurves(
  db: Kysely<StoreSchema>,
  experimentId: string,
  order: 'asc' | 'desc',
): Promise<CurvesAnswer> {
  const ofThis = db.selectFrom('trial_curves').where('trial_curves.experiment_id', '=', experimentId);
  const counted = await ofThis.select(({ fn }) => fn.countAll().as('count')).executeTakeFirstOrThrow();
  // PostgreSQL counts in 64 bits, which its driver gives as text.
  const trialCount = Number(counted.count);
  const rows = await ofThis
    .innerJoin('trials', (join) =>
      join
        .onRef('trials.experiment_id', '=', 'trial_curves.experiment_id')
        .onRef('trials.number', '=', 'trial_curves.number'),
    )
    .select([
      'trial_curves.number as number',
      trialCount <= MAX_WHOLE_CURVES ? 'trial_curves.points as points' : 'trial_curves.outline as points',
    ])
    .orderBy('trials.last_score', (by) => (order === 'asc' ? by.asc() : by.desc()).nullsLast())
    .orderBy('trial_curves.number')
    .limit(MAX_CURVES)
    .execute();
  return {
    trialCount,
    curves: rows
      .map(({ number, points }) => ({
        number,
        points: pointsOf(points).map(([at, score]) => [at, score]),
      }))
      .sort((a, b) => a.number - b.number) as CurvesAnswer['curves'],
  };
}

function pointsOf(json: string): readonly TrialReportPoint[] {
  return JSON.parse(json) as TrialReportPoint[];
}
