// A worker as the commands print it.

import type { workersAnswer } from '../cluster/remote/apiAnswers.ts';

type Worker = ReturnType<typeof workersAnswer.parse>['workers'][number];

export function workerRow({ workerId, name, runtime, device, present, leaving, runId }: Worker): string[] {
  const state = leaving === undefined ? (present ? 'present' : 'away') : `leaving: ${leaving}`;
  return [
    workerId,
    name ?? '',
    runtime,
    device.reason === undefined ? device.name : `${device.name} (${device.reason})`,
    state,
    runId === undefined ? 'idle' : `run ${runId.slice(0, 8)}`,
  ];
}
