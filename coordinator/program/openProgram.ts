// From a program's description to an instance on a worker: stores what the worker fetches, waits for one, and opens it.

import { AbortedError, DeadlineError, type TabgradError } from '../../kernels/errors.ts';
import {
  decodeProgramFrame,
  encodeProgramFrame,
  ProgramFrameError,
} from '../../shared/program/programFrame.ts';
import { fromProgram, type FromProgram, type OpenProgram } from '../../shared/protocol/program.ts';
import type { BlobSink } from '../core/blobs/blobStore.ts';
import { carryCheckpoints } from './carryCheckpoints.ts';
import { explainError } from './explainError.ts';
import type { Program } from './program.ts';
import { ProgramLostError, ProgramStartError } from './programErrors.ts';
import { PipedInstance, type ProgramInstance } from './programInstance.ts';
import type { Slot, SlotDemand } from '../core/programs/programPipe.ts';
import type { ProgramCluster } from '../cluster/cluster.ts';

export interface OpenOptions extends Pick<SlotDemand, 'runtime' | 'device'> {
  /** Workers that are not wanted. One that says what can not be while it opens the program is added. */
  readonly excluded?: Set<string> | undefined;
  /** Workers that are taken only where there is no other. */
  readonly avoided?: ReadonlySet<string> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onWaiting?: ((reason: string) => void) | undefined;
  /** From having a worker to being constructed there: fetching, loading, the constructor. Default one minute. */
  readonly openTimeoutMs?: number | undefined;
}

const OPEN_TIMEOUT_MS = 60_000;
/** Workers that a demand names as not wanted, the last ones first. */
const MOST_NAMED = 1_000;
/** Workers that may be lost while they open it, before it counts as the program's own fault. */
const MAX_LOST = 3;

/**
 * Waits for a worker as long as it takes. When one is lost meanwhile, another is waited for.
 * @throws ProgramStartError when the constructor threw or the worker refused it, DeadlineError naming the worker when it
 *   takes too long, AbortedError, ValueNotPlainError, CheckpointError, ProgramLostError when several workers were lost.
 */
export async function openProgram(
  { slots, blobs }: ProgramCluster,
  program: Program,
  options: OpenOptions = {},
): Promise<ProgramInstance> {
  const { signal, onWaiting, openTimeoutMs = OPEN_TIMEOUT_MS, excluded = new Set() } = options;
  const { code } = program;
  for (let lost = 1; ; lost++) {
    // Stored anew each time: blobs that are not read for a while are deleted.
    const frame = await openFrame(program, blobs);
    const demand: SlotDemand = {
      name: program.name,
      runtime: options.runtime,
      device: options.device,
      ownersCode: !('builtin' in code),
      excluded: [...excluded].slice(-MOST_NAMED),
      avoided: [...(options.avoided ?? [])].slice(-MOST_NAMED),
    };
    const slot = await slots.slot(demand, { signal, onWaiting });
    try {
      await opened(slot, frame, program, openTimeoutMs, signal);
      return new PipedInstance(slot, (error, worker) => explainError(error, program, worker));
    } catch (error) {
      slot.pipe.close('it could not be opened');
      const isNonsense = error instanceof ProgramFrameError;
      if (isNonsense) excluded.add(slot.worker.workerId);
      if (!(isNonsense || error instanceof ProgramLostError) || lost >= MAX_LOST) throw error;
    }
  }
}

async function openFrame(program: Program, blobs: BlobSink): Promise<Uint8Array> {
  const { carry, carried } = await carryCheckpoints(program.args, blobs);
  const { code } = program;
  const bundle = 'builtin' in code ? undefined : await blobs.putBytes(code.bytes);
  const message: OpenProgram = {
    type: 'open',
    program:
      'builtin' in code
        ? { kind: 'builtin', name: code.builtin }
        : { kind: 'module', bundle: bundle!.sha256, sizeBytes: bundle!.sizeBytes, export: code.exportName },
    form: program.form,
    checkpoints: carried,
  };
  return encodeProgramFrame(message, program.args, 'fnConstructorArgs', { carry });
}

function opened(
  slot: Slot,
  frame: Uint8Array,
  program: Program,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { worker, pipe } = slot;
  const place = { peer: worker.workerId };
  return new Promise((resolve, reject) => {
    const late = new DeadlineError(
      `${program.name} was not open on worker ${worker.workerId} (${worker.runtime}) within ${timeoutMs} ms.`,
      place,
    );
    const timer = setTimeout(() => settle(late), timeoutMs);
    const withdraw = (): void => settle(new AbortedError(`${program.name} was called off.`));
    const settle = (error?: TabgradError): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', withdraw);
      if (error) reject(error);
      else resolve();
    };
    signal?.addEventListener('abort', withdraw, { once: true });
    void pipe.closed.then((reason) =>
      settle(
        new ProgramLostError(
          `Worker ${worker.workerId} was lost while it opened ${program.name}: ${reason}.`,
          place,
        ),
      ),
    );
    pipe.onFrame((bytes) => {
      let message: FromProgram;
      try {
        ({ message } = decodeProgramFrame(bytes, fromProgram));
      } catch (error) {
        return settle(error as TabgradError);
      }
      if (message.type === 'opened') return settle();
      const why =
        message.type === 'failed'
          ? explainError(message.error, program, worker)
          : new Error('it spoke before it was open');
      settle(
        new ProgramStartError(
          `${program.name} can't be opened on worker ${worker.workerId} (${worker.runtime}): ${why.message}`,
          'place' in why ? (why as TabgradError).place : place,
          { cause: why },
        ),
      );
    });
    pipe.send(frame);
  });
}
