// mapBatches on workers of a pool: batches go out in Arrow's IPC format and come back mapped, in order, each once. A bounded
// number is under way, so that a slow consumer holds up the readers and not the memory.

import type * as arrow from 'apache-arrow';
import { bytesOfBatch } from '../../../shared/columns/ipc/batchBytes.ts';
import type { BatchFormat } from '../../../shared/columns/batchFormats.ts';
import { UserFunctionError } from '../../../shared/columns/columnErrors.ts';
import { AbortedError, DeadlineError, type TabgradError } from '../../../kernels/errors.ts';
import { ProgramCodeError, ProgramLostError } from '../../program/programErrors.ts';
import type { Program } from '../../program/program.ts';
import { ProgramInstances, type InstancesStatus } from '../../program/programInstances.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { openCluster } from '../../cluster/openCluster.ts';
import type { PlacedWorker } from '../../core/programs/programPipe.ts';
import type { ScalingConfig } from '../../options/runOptions.ts';
import type { Batches } from '../plan/planNode.ts';
import { throwIfAborted, type RunContext } from '../plan/runContext.ts';
import { orderedMap } from './orderedMap.ts';
import { readMapped } from './readMapped.ts';

/** How mapping on a pool goes. */
export interface PoolStatus extends InstancesStatus {
  /** Rows mapped so far, by worker. */
  readonly rows: ReadonlyMap<string, number>;
}

export interface PoolSettings {
  readonly program: () => Promise<Program>;
  readonly label: string;
  readonly format: BatchFormat;
  /** Instances of the program. */
  readonly min: number;
  readonly max: number;
  readonly scaling: ScalingConfig;
  /** For one batch. */
  readonly deadlineMs: number;
  readonly onStatus: ((status: PoolStatus) => void) | undefined;
}

/** For close() of the owner's class, when the stream ends. */
const CLOSE_TIMEOUT_MS = 10_000;

export async function* mapBatchesOnPool(
  input: Batches,
  settings: PoolSettings,
  context: RunContext,
): AsyncGenerator<arrow.RecordBatch> {
  // What is wrong with the code is found before any row is read or worker started.
  const program = await settings.program();
  const over = new AbortController();
  const signal = context.signal ? AbortSignal.any([context.signal, over.signal]) : over.signal;
  const status = new StatusTeller(settings.onStatus);
  let opening: Promise<{ readonly pool: Cluster; readonly instances: ProgramInstances }> | undefined;
  let instances: ProgramInstances | undefined;
  let firstRow = 0;
  try {
    yield* orderedMap(input, ProgramInstances.callsOf(settings), async (batch, index) => {
      const first = firstRow;
      firstRow += batch.numRows;
      opening ??= openInstances(program, settings, signal, status);
      try {
        ({ instances } = await opening);
        const { value, worker } = await instances.call(
          'call',
          [bytesOfBatch(batch), settings.format],
          (answer) => readMapped(answer, batch, program.predicts),
        );
        status.mapped(worker, batch.numRows);
        return value;
      } catch (error) {
        throwIfAborted(context);
        throw ofOwner(
          error,
          `${settings.label} failed on batch ${index} (rows ${first} to ${first + batch.numRows - 1})`,
          first,
        );
      }
    });
    await instances?.finish('all batches are mapped').catch((error: Error) => {
      throw ofOwner(error, `${settings.label} failed in close()`);
    });
  } finally {
    // What ended it is the one thing to tell, and who calls it off does not want to wait.
    if (context.signal?.aborted !== true)
      await instances?.finish('no more batches are wanted').catch(() => undefined);
    over.abort();
    const opened = await opening?.catch(() => undefined);
    await opened?.instances.close('all batches are mapped');
    await opened?.pool.close();
  }
}

async function openInstances(
  program: Program,
  { scaling, min, max, deadlineMs }: PoolSettings,
  signal: AbortSignal,
  status: StatusTeller,
): Promise<{ pool: Cluster; instances: ProgramInstances }> {
  const { numWorkers = max, runtime, device } = scaling;
  const pool = await openCluster({ scalingConfig: scaling, signal });
  try {
    pool.ensureWorkers(typeof numWorkers === 'number' ? numWorkers : numWorkers[1], 1);
  } catch (error) {
    await pool.close();
    throw error;
  }
  const instances = new ProgramInstances(pool, program, {
    min,
    max,
    deadlineMs,
    // tabgrad's own predictors have nothing to close.
    closing: program.predicts ? undefined : { method: 'close', deadlineMs: CLOSE_TIMEOUT_MS },
    // A list is for local workers of several kinds; each of them will do.
    runtime: typeof runtime === 'string' ? runtime : undefined,
    device: device === 'auto' ? undefined : device,
    onStatus: (instances) => status.instancesAre(instances),
  });
  signal.addEventListener('abort', () => void instances.close('it was called off'), { once: true });
  return { pool, instances };
}

/** What the owner's code threw, a hang and the loss of several workers are told with the place; the rest is not its fault. */
function ofOwner(error: unknown, where: string, row?: number): unknown {
  const isOfBatch =
    error instanceof ProgramCodeError || error instanceof DeadlineError || error instanceof ProgramLostError;
  if (!isOfBatch || error instanceof AbortedError) return error;
  const { peer, file } = (error as TabgradError).place;
  const worker = peer === undefined ? '' : ` on worker ${peer}`;
  return new UserFunctionError(
    `${where}${worker}: ${error.message}`,
    {
      ...(row !== undefined && { row }),
      ...(peer !== undefined && { peer }),
      ...(file !== undefined && { file }),
    },
    { cause: error },
  );
}

class StatusTeller {
  readonly #onStatus: PoolSettings['onStatus'];
  readonly #rows = new Map<string, number>();
  #instances: InstancesStatus = { workers: [], waiting: undefined };

  constructor(onStatus: PoolSettings['onStatus']) {
    this.#onStatus = onStatus;
  }

  instancesAre(instances: InstancesStatus): void {
    this.#instances = instances;
    this.#tell();
  }

  mapped({ workerId }: PlacedWorker, rows: number): void {
    this.#rows.set(workerId, (this.#rows.get(workerId) ?? 0) + rows);
    this.#tell();
  }

  #tell(): void {
    this.#onStatus?.({ ...this.#instances, rows: this.#rows });
  }
}
