// What a session needs from the runtime it lives in. The three runtimes (tab, Deno, Node) each build one; tests build
// one in memory. The session itself knows no platform.

import type { DeviceSpec, TreeDevice } from '../../kernels/gbdt/treeDevice.ts';
import type { BlobReference, NeuralSpec } from '../../shared/neural/run/neuralSpec.ts';
import type { TrainingEngine } from '../../shared/neural/trainingEngine.ts';
import type {
  CoordinatorMessage,
  CoordinatorMessageOf,
  WorkerMessage,
} from '../../shared/protocol/control.ts';
import type { LoopSource } from '../ownerLoop/loopMessages.ts';
import type { LoopThread } from '../ownerLoop/loopThread.ts';
import type { LinkConnector } from '../transport/link.ts';

export interface FetchBlobOptions {
  /** Refuse a blob of another size before its bytes are kept. */
  readonly sizeBytes?: number;
  readonly signal: AbortSignal;
}

export interface SessionEnvironment {
  readonly workerId: string;
  send(message: WorkerMessage): void;
  createDevice(spec: DeviceSpec): Promise<TreeDevice>;
  createEngine(spec: NeuralSpec): Promise<TrainingEngine>;
  /** What this worker computes on, for telling whether members are alike. */
  readonly deviceName?: string;
  readonly connector: LinkConnector;
  /** A blob by its SHA-256, verified. */
  fetchBlob(sha256: string, options: FetchBlobOptions): Promise<Uint8Array>;
  /** Stores bytes at the coordinator; resolves when they are safe there. */
  putBlob(bytes: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<BlobReference>;
  /** Opens a thread for an owner's loop; absent where owners may not run code. */
  readonly openLoop?: (kind: 'rounds' | 'tensors', code: LoopSource) => LoopThread;
  /** Milliseconds from any fixed origin. */
  now(): number;
  /** In [0, 1), not to be guessed by others. Absent: the platform's own source. */
  random?(): number;
  log(line: string): void;
  /** Told when the device of a run was lost; the next group is met with a new one. */
  onDeviceLost?(reason: string): void;
  /** Told what the session does, for the volunteer's page and the terminal. */
  onStatus?(status: SessionStatus): void;
}

/** How a run ended. */
export type RunEnding = NonNullable<CoordinatorMessageOf<'release'>['outcome']>;

export type SessionStatus =
  | {
      readonly state: 'idle';
      /** The last run, where this worker was in it to its end. */
      readonly ended?: { readonly runId: string; readonly outcome: RunEnding };
    }
  | {
      readonly state: 'loading';
      readonly runId: string;
      readonly rowsLoaded: number;
      readonly rowsTotal: number;
    }
  | {
      readonly state: 'connecting';
      readonly runId: string;
      readonly peers: number;
    }
  | {
      readonly state: 'training';
      readonly runId: string;
      /** Rounds committed so far, and in all. */
      readonly round: number;
      readonly rounds: number;
      /** Rows of this worker's part: of each round, or since the last report of steps. */
      readonly rows: number;
      /** What part of the group's rows that is, in [0, 1]; undefined where members have no part of their own. */
      readonly share?: number | undefined;
      readonly groupSize: number;
      readonly rank: number;
      readonly rowsPerSecond: number;
      /** Of the last round, by their names in the record. */
      readonly metrics: Readonly<Record<string, number>>;
      readonly links: readonly {
        readonly peer: string;
        readonly path: string;
        readonly bytesSent: number;
        readonly bytesReceived: number;
      }[];
    };

/** Carries out what the coordinator says about runs. Messages are handled in the order of arrival. */
export interface WorkerSession {
  handle(message: CoordinatorMessage): void;
  /** Stops all work and frees the device. Resolves when nothing of it is left. */
  close(reason: string): Promise<void>;
}

export async function fetchJson(
  environment: Pick<SessionEnvironment, 'fetchBlob'>,
  sha256: string,
  signal: AbortSignal,
): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await environment.fetchBlob(sha256, { signal })));
}
