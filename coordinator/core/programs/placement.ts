// Which worker a program gets, or what it waits for.

import type { PoolWorker } from '../pool/poolWorker.ts';
import type { SlotDemand } from './programPipe.ts';

type SetAside = ReadonlyMap<string, string>;

/** The free worker with the fewest programs, of those the first that joined; avoided ones last. */
export function chooseWorker(
  workers: readonly PoolWorker[],
  demand: SlotDemand,
  setAside: SetAside,
): PoolWorker | undefined {
  return workers
    .filter((worker) => isHere(worker) && isWanted(worker, demand) && !setAside.has(worker.workerId))
    .filter((worker) => worker.runId === undefined && worker.programs < slotsOf(worker))
    .sort((a, b) => avoidance(a, demand) - avoidance(b, demand) || a.programs - b.programs)[0];
}

/** A worker says itself how many cores it has: no claim gets it more than this. */
const MOST_PROGRAMS = 16;

/** Programs that a worker takes at a time: each has a thread. */
function slotsOf({ cores }: PoolWorker): number {
  return Math.min(MOST_PROGRAMS, Math.max(1, cores));
}

function isHere(worker: PoolWorker): boolean {
  return worker.present && worker.peerId !== undefined && worker.leaving === undefined;
}

function isWanted(worker: PoolWorker, demand: SlotDemand): boolean {
  return (
    !isExcluded(worker, demand) &&
    (demand.runtime === undefined || demand.runtime === worker.runtime) &&
    (demand.device === undefined || demand.device === worker.device.kind) &&
    runsIt(worker, demand)
  );
}

function isExcluded({ workerId }: PoolWorker, { excluded = [] }: SlotDemand): boolean {
  return excluded.includes(workerId);
}

function avoidance({ workerId }: PoolWorker, { avoided = [] }: SlotDemand): number {
  return avoided.includes(workerId) ? 1 : 0;
}

function runsIt({ takesPrograms }: PoolWorker, { ownersCode }: SlotDemand): boolean {
  return takesPrograms === 'any' || (takesPrograms === 'builtin' && !ownersCode);
}

export function waitingReason(
  workers: readonly PoolWorker[],
  demand: SlotDemand,
  setAside: SetAside,
): string {
  const wanted = [demand.runtime, demand.device].filter((word) => word !== undefined).join(' ');
  const notes: string[] = [];
  const count = (what: string, is: (worker: PoolWorker) => boolean): void => {
    const among = workers.filter(is).length;
    if (among > 0) notes.push(`${among} ${what}`);
  };
  const isKind = (worker: PoolWorker): boolean => isWanted(worker, demand);
  count('in a run', (worker) => isHere(worker) && isKind(worker) && worker.runId !== undefined);
  count(
    'full of programs',
    (worker) => isHere(worker) && isKind(worker) && worker.programs >= slotsOf(worker),
  );
  count("not running owners' code", (worker) => isHere(worker) && !runsIt(worker, demand));
  count('whose answers could not be', (worker) => isExcluded(worker, demand));
  count(
    'of another kind',
    (worker) => isHere(worker) && runsIt(worker, demand) && !isKind(worker) && !isExcluded(worker, demand),
  );
  count('leaving', (worker) => worker.leaving !== undefined);
  count('out of reach, perhaps for a moment', (worker) => !worker.present);
  count('starting', (worker) => worker.present && worker.peerId === undefined);
  for (const why of setAside.values()) notes.push(why);
  const need = `${demand.name} waits for 1 ${wanted === '' ? '' : `${wanted} `}worker; 0 of ${workers.length} are free`;
  return notes.length === 0 ? `${need}.` : `${need} (${notes.join(', ')}).`;
}
