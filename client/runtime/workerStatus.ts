// What a worker is doing, as the volunteer's page and the terminal show it.

import type { DeviceReport } from '../../shared/protocol/control.ts';
import type { SessionStatus } from '../memberRun/sessionEnvironment.ts';

export type WorkerPhase =
  /** Looking for a device. */
  | 'starting'
  /** Opening the socket for the first time. */
  | 'connecting'
  /** Had a coordinator and lost it. */
  | 'reconnecting'
  /** Joined; no run needs this worker now. */
  | 'waiting'
  | 'working'
  | 'paused'
  | 'leaving'
  /** Over, for one of the reasons of WorkerEnd. */
  | 'ended';

export interface WorkerStatus {
  readonly phase: WorkerPhase;
  readonly workerId: string | undefined;
  readonly device: DeviceReport | undefined;
  /** What became of the device since: lost, or gone. */
  readonly deviceNote?: string | undefined;
  readonly session: SessionStatus;
  /** Share of the time that was computed over the last seconds, in [0, 1]; undefined until it is known. */
  readonly usedShare?: number | undefined;
  /** To the coordinator and back, in milliseconds; undefined until it is known. */
  readonly roundTripMs?: number | undefined;
  /** Programs that are open here. */
  readonly programs: number;
  /** The latest thing that the volunteer should know, in plain words. */
  readonly note: string | undefined;
}

/** Why a worker's life is over. */
export interface WorkerEnd {
  /** It left by itself; the coordinator sent it away; or it was never let in. */
  readonly kind: 'left' | 'sentAway' | 'refused';
  readonly reason: string;
  /** Of a refusal, as the coordinator names it. */
  readonly code?: string | undefined;
}

/** One line about a status, for terminals. */
export function describeStatus(status: WorkerStatus): string {
  const { session, programs } = status;
  if (status.phase === 'working' && session.state === 'idle' && programs > 0) {
    return `running ${programs} ${programs === 1 ? 'program' : 'programs'} of the owner`;
  }
  if (status.phase !== 'working' || session.state === 'idle') {
    return status.note === undefined ? status.phase : `${status.phase}: ${status.note}`;
  }
  switch (session.state) {
    case 'loading':
      return `loading ${session.rowsLoaded.toLocaleString('en')} of ${session.rowsTotal.toLocaleString('en')} rows`;
    case 'connecting':
      return `connecting to ${session.peers} ${session.peers === 1 ? 'peer' : 'peers'}`;
    case 'training':
      break;
  }
  return (
    `training round ${session.round} of ${session.rounds}, ${session.rows.toLocaleString('en')} rows, ` +
    `group of ${session.groupSize}, ${Math.round(session.rowsPerSecond).toLocaleString('en')} rows/s`
  );
}
