// A worker's status in words that a volunteer understands.

import type { WorkerStatus } from '../../runtime/workerStatus.ts';

export interface StatusWords {
  /** Changes with the activity, not with its progress: screen readers announce it. */
  readonly title: string;
  readonly note: string;
  /** How far the present activity has come, in [0, 1], with its words; none when there is nothing to measure. */
  readonly progress: { readonly fraction: number; readonly words: string } | undefined;
}

const waitingNote =
  'Nothing to do yet. You are in the pool; work starts by itself when a run needs this tab.';

export function statusWords(status: WorkerStatus): StatusWords {
  const plain = (title: string, note: string): StatusWords => ({ title, note, progress: undefined });
  switch (status.phase) {
    case 'starting':
      return plain('Starting', 'Looking for a GPU.');
    case 'connecting':
      return plain(
        'Connecting',
        status.note ? `No coordinator: ${status.note}.` : 'Calling the coordinator.',
      );
    case 'reconnecting':
      return plain(
        'Connection lost',
        `The coordinator can't be reached${status.note ? `: ${status.note}` : ''}. You keep your place for a while.`,
      );
    case 'waiting':
      return plain('Waiting for work', status.note ?? waitingNote);
    case 'paused':
      return plain(
        'Paused',
        'Your part has been handed to others. Nothing is computed here until you go on.',
      );
    case 'leaving':
      return plain('Leaving', 'Handing your part over to the others. This takes a few seconds at most.');
    case 'ended':
      return plain('Left', status.note ?? 'You can close the tab.');
    case 'working':
      break;
  }
  return workingWords(status);
}

function workingWords({ session, programs }: WorkerStatus): StatusWords {
  switch (session.state) {
    case 'idle':
      if (programs > 0) {
        return {
          title: 'Running programs',
          note: `${programs === 1 ? 'A program' : `${programs} programs`} of the owner of this page, in the browser’s sandbox.`,
          progress: undefined,
        };
      }
      return { title: 'Waiting for work', note: waitingNote, progress: undefined };
    case 'loading':
      return {
        title: 'Loading data',
        note: 'Downloading this tab’s piece of the data set.',
        progress: {
          fraction: session.rowsTotal === 0 ? 0 : session.rowsLoaded / session.rowsTotal,
          words: `${count(session.rowsLoaded)} of ${count(session.rowsTotal)} rows`,
        },
      };
    case 'connecting':
      return {
        title: 'Connecting to the other workers',
        note: `This group has ${session.peers + 1} workers.`,
        progress: undefined,
      };
    case 'training':
      break;
  }
  const { round, rounds, groupSize } = session;
  const others = groupSize - 1;
  return {
    title: 'Training',
    note:
      others === 0
        ? `Round ${round} of ${rounds}. This tab is the only worker of the run at the moment.`
        : `Round ${round} of ${rounds}, together with ${others} other ${others === 1 ? 'worker' : 'workers'}.`,
    progress: {
      fraction: rounds === 0 ? 0 : round / rounds,
      words: `${Math.floor((100 * round) / Math.max(1, rounds))} % of the run`,
    },
  };
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** Bytes in decimal units, three significant digits. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const rounded = Number(value.toPrecision(3));
  const power = rounded < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(rounded) / 3));
  return `${Number((rounded / 1000 ** power).toPrecision(3))} ${units[power]}`;
}

/** A short time: tenths below ten. */
export function milliseconds(value: number): string {
  if (value < 0.1) return '< 0.1 ms';
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

/** A part of a whole as people say it: "1/3"; in percent where no small fraction is near. */
export function fraction(part: number): string {
  for (let below = 2; below <= 12; below++) {
    if (Math.abs(part * below - 1) <= 0.04) return `1/${below}`;
  }
  if (Math.abs(part * 3 - 2) <= 0.08) return '2/3';
  return part > 0 && part < 0.01 ? 'less than 1 %' : percent(part);
}

/** A share in whole percent. */
export function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** A span of time in its two largest units; below a second in tenths. */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const from = units.findIndex(([, size]) => seconds >= size);
  if (from === -1) return `${Number((ms / 1000).toFixed(1))} s`;
  let rest = seconds;
  const parts = units.slice(from, from + 2).map(([name, size]) => {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    return whole > 0 ? `${whole} ${name}` : '';
  });
  return parts.filter(Boolean).join(' ');
}

/** A number with four significant digits. */
export function numberWords(value: number): string {
  return String(Number(value.toPrecision(4)));
}
