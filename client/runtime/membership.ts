// What of a worker belongs to one identity: gone when the coordinator knows it by another.

import type { CoordinatorMessageOf } from '../../shared/protocol/control.ts';
import type { WorkerSession } from '../memberRun/sessionEnvironment.ts';
import type { WorkerPrograms } from '../program/workerPrograms.ts';
import type { WorkerTransport } from './workerPlatform.ts';

export interface Membership {
  readonly workerId: string;
  /** Fires when the membership ends. */
  readonly over: AbortController;
  /** The newest that was heard. */
  welcome: CoordinatorMessageOf<'welcome'>;
  session: WorkerSession | undefined;
  transport: WorkerTransport | undefined;
  readonly programs: WorkerPrograms | undefined;
}
