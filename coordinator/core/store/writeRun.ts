// Writes what a run's log has of a run, all at once or not at all.

import type { Transaction } from 'kysely';
import { runKindOf } from '../run/runKinds.ts';
import { RunExistsError } from '../run/runErrors.ts';
import type { RunRows } from '../run/runRecord.ts';
import { writeDatasets } from './datasetStore.ts';
import type { StoreSchema } from './storeSchema.ts';

/** @throws RunExistsError */
export async function writeRun(
  transaction: Transaction<StoreSchema>,
  runId: string,
  { started, group, undone, rounds, events, end }: RunRows,
): Promise<void> {
  if (started) await writeStart(transaction, runId, started);
  if (undone !== undefined)
    await transaction.deleteFrom('rounds').where('run_id', '=', runId).where('round', '>=', undone).execute();
  for (const { round, payload, metrics } of rounds) {
    const values = { run_id: runId, round, trees: JSON.stringify(payload), metrics: JSON.stringify(metrics) };
    await transaction.insertInto('rounds').values(values).execute();
  }
  for (const { sequence, event, atMs } of events) {
    const values = {
      run_id: runId,
      sequence,
      kind: event.type,
      event: JSON.stringify(event),
      at_ms: atMs ?? null,
    };
    await transaction.insertInto('run_events').values(values).execute();
  }
  const change = {
    ...(group && { generation: group.generation, members: JSON.stringify(group.members) }),
    ...(end && {
      status: end.status,
      ended_at: end.atMs,
      error_code: end.error?.code ?? null,
      error_message: end.error?.message ?? null,
    }),
  };
  if (!group && !end) return;
  await transaction.updateTable('runs').set(change).where('run_id', '=', runId).execute();
}

async function writeStart(
  transaction: Transaction<StoreSchema>,
  runId: string,
  { request, attended, atMs }: NonNullable<RunRows['started']>,
): Promise<void> {
  const known = await transaction
    .selectFrom('runs')
    .select('run_id')
    .where('run_id', '=', runId)
    .executeTakeFirst();
  if (known) throw new RunExistsError(`A run "${runId}" exists already`, { field: 'runId' });
  const values = {
    run_id: runId,
    name: request.name,
    request: JSON.stringify({ ...request, datasets: undefined }),
    num_boost_round: runKindOf(request.spec).totalRounds(request.spec),
    attended: attended ? 1 : 0,
    status: 'running',
    generation: 0,
    members: '[]',
    started_at: atMs,
  };
  await transaction.insertInto('runs').values(values).execute();
  await writeDatasets(transaction, request, atMs);
}
