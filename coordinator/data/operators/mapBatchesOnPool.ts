// mapBatches on workers of a pool: batches go out in Arrow's IPC format and come back mapped, in order, each once. A bounded
// number is under way, so that a slow consumer holds up the readers and not the memory.

import type * as arrow from 'apache-arrow';
import type { BatchFormat } from '../../../shared/columns/batchFormats.ts';
import { UserFunctionError } from '../../../shared/columns/columnErrors.ts';
import { AbortedError, DeadlineError, type TabgradError } from '../../../kernels/errors.ts';
import { ProgramCodeError, ProgramLostError } from '../../program/programErrors.ts';
import type { Program } from '../../program/program.ts';
import { ProgramInstances } from '../../program/programInstances.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { openCluster } from '../../cluster/openCluster.ts';
import { secretRandom } from '../../core/pool/secrets.ts';
import { AnswersDifferError, type Answered } from '../../program/checks/answerCheck.ts';
import type { ScalingConfig } from '../../options/runOptions.ts';
import type { Batches } from '../plan/planNode.ts';
import { throwIfAborted, type RunContext } from '../plan/runContext.ts';
import { BatchChecks } from './batchChecks.ts';
import { CheckedBatches } from './checkedBatches.ts';
import type { HeldBatch } from './heldBatch.ts';
import { StatusTeller, type PoolStatus } from './poolStatus.ts';
import { readMapped } from './readMapped.ts';

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
  /** Whether what code of the owner's makes of a batch is the same wherever it is computed. */
  readonly isDeterministic: boolean;
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
  let opening: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => (opening ??= openInstances(program, settings, signal, status));
  const isCompared = isComparable(program, settings);
  const batches = new CheckedBatches({
    calls: ProgramInstances.callsOf(settings),
    isChecked: (worker) => isCompared && !worker.isOwners,
    ask: async (batch) => {
      try {
        return await ask(batch, await open(), settings, program);
      } catch (error) {
        throwIfAborted(context);
        throw ofOwner(error, `${settings.label} failed on ${placeOf(batch)}`, batch.first);
      }
    },
    check: async (batch, answer) => {
      try {
        return await (await open()).checks.check(batch, answer);
      } catch (error) {
        throwIfAborted(context);
        throw ofOwner(error, `${settings.label} failed when ${placeOf(batch)} was checked`, batch.first);
      }
    },
    lied: (liar, batch) => void open().then(({ checks }) => checks.lied(liar, batch)),
    passed: (workerId) => void open().then(({ checks }) => checks.passed(workerId)),
    told: status,
    random: secretRandom,
    throwIfOff: () => throwIfAborted(context),
    signal,
  });
  try {
    yield* batches.map(input);
    const opened = await opening;
    await opened?.instances.finish('all batches are mapped').catch((error: Error) => {
      throw ofOwner(error, `${settings.label} failed in close()`);
    });
  } finally {
    const opened = await opening?.catch(() => undefined);
    // What ended it is the one thing to tell, and who calls it off does not want to wait.
    if (context.signal?.aborted !== true) {
      await opened?.checks.told();
      await opened?.instances.finish('no more batches are wanted').catch(() => undefined);
    }
    over.abort();
    await opened?.instances.close('all batches are mapped');
    await opened?.checks.close();
    await opened?.pool.close();
  }
}

async function ask(
  held: HeldBatch,
  { instances, isCompared }: Pick<Opened, 'instances' | 'isCompared'>,
  { format }: PoolSettings,
  { predicts }: Program,
): Promise<Answered<arrow.RecordBatch>> {
  const sent = held.sent(isCompared);
  return instances.call('call', [sent, format], (answer) => {
    const mapped = readMapped(answer, held.batch, predicts);
    held.bytes = sent.byteLength + (answer as Uint8Array).byteLength;
    return mapped;
  });
}

function placeOf({ index, first, last }: HeldBatch): string {
  return `batch ${index} (rows ${first} to ${last})`;
}

/** Whether what two workers make of a batch must be the same. */
function isComparable({ openHere }: Program, { isDeterministic }: PoolSettings): boolean {
  return openHere !== undefined || isDeterministic;
}

interface Opened {
  readonly pool: Cluster;
  readonly instances: ProgramInstances;
  readonly checks: BatchChecks;
  readonly isCompared: boolean;
}

async function openInstances(
  program: Program,
  settings: PoolSettings,
  signal: AbortSignal,
  status: StatusTeller,
): Promise<Opened> {
  const { scaling, min, max, deadlineMs, format, label } = settings;
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
  const results = pool.checkResults;
  const checks = new BatchChecks({
    program,
    format,
    label,
    instances,
    results,
    random: secretRandom,
    signal,
  });
  return { pool, instances, checks, isCompared: isComparable(program, settings) };
}

/** What the owner's code threw, a hang and the loss of several workers are told with the place; the rest is not its fault. */
function ofOwner(error: unknown, where: string, row?: number): unknown {
  const isOfBatch =
    error instanceof ProgramCodeError ||
    error instanceof DeadlineError ||
    error instanceof ProgramLostError ||
    error instanceof AnswersDifferError;
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
