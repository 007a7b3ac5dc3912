// Where the workers of runs stand in the picture of their links: each run is a ring, and rings stand beside one another.

import type { WorkerLinks } from '../../../shared/api/workerAnswers.ts';

interface Ring {
  readonly runId: string;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface RingLayout {
  readonly rings: readonly Ring[];
  /** By the place of a worker in the list. */
  readonly spots: readonly { readonly x: number; readonly y: number }[];
}

const MARGIN = 22;

/** As large as the rings can be on a ground of this size. */
export function ringLayout(workers: WorkerLinks['workers'], width: number, height: number): RingLayout {
  const runIds = [...new Set(workers.map(({ runId }) => runId))];
  const across = Math.max(1, Math.min(runIds.length, Math.floor(width / Math.min(height, width)) || 1));
  const columns = Math.max(across, Math.ceil(Math.sqrt((runIds.length * width) / height)) || 1);
  const usedColumns = Math.min(columns, Math.max(1, runIds.length));
  const lines = Math.max(1, Math.ceil(runIds.length / usedColumns));
  const [cellWidth, cellHeight] = [width / usedColumns, height / lines];
  const radius = Math.max(4, Math.min(cellWidth, cellHeight) / 2 - MARGIN);
  const rings = runIds.map((runId, i) => ({
    runId,
    x: (0.5 + (i % usedColumns)) * cellWidth,
    y: (0.5 + Math.floor(i / usedColumns)) * cellHeight,
    radius,
  }));
  const members = new Map(runIds.map((runId) => [runId, workers.filter((one) => one.runId === runId)]));
  const spots = workers.map((worker) => {
    const ring = rings[runIds.indexOf(worker.runId)]!;
    const those = members.get(worker.runId)!;
    const angle = (2 * Math.PI * those.indexOf(worker)) / those.length - Math.PI / 2;
    const away = those.length === 1 ? 0 : ring.radius;
    return {
      x: ring.x + away * Math.cos(angle),
      y: ring.y + away * Math.sin(angle),
    };
  });
  return { rings, spots };
}
