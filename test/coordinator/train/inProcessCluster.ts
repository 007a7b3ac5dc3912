// A cluster of one in this process: real rounds on the cpu device over a group of one, without network or processes.

import type { BinnedTree } from '../../../kernels/gbdt/binnedTree.ts';
import { createCpuTreeDevice } from '../../../kernels/gbdt/devices/cpuDevice.ts';
import { boostRound } from '../../../client/gbdt/boostRound.ts';
import { roundMetrics } from '../../../shared/gbdt/metric/roundMetrics.ts';
import { evaluateRound, type EvaluationBlock } from '../../../client/gbdt/evaluateRound.ts';
import type { RunCluster } from '../../../coordinator/cluster/cluster.ts';
import type { TreeWorld } from '../../../coordinator/train/gbdt/treeRun.ts';
import { binnedBlock } from '../../../shared/gbdt/binnedBlock.ts';
import { decodeShard } from '../../../shared/gbdt/shardCodec.ts';
import { encodeTree } from '../../../shared/gbdt/treeCodec.ts';
import type {
  CommittedRound,
  RunEvent,
  RunHandle,
  RunOutcome,
  RunRequest,
} from '../../../coordinator/core/run/runRequest.ts';
import { memoryGroup } from '../../client/gbdt/memoryGroup.ts';
import { memoryBlobs, type MemoryBlobs } from './memoryBlobs.ts';

export interface ClusterBehaviour {
  /** Thrown by the run after so many rounds. */
  readonly failAfter?: { readonly rounds: number; readonly error: Error };
  /** Ignore shouldStop, as a coordinator in another process does. */
  readonly remote?: boolean;
  /** Rounds that still come after a stop was asked for. */
  readonly roundsAfterStop?: number;
  readonly onRequest?: (request: RunRequest) => void;
}

export interface InProcessWorld extends TreeWorld {
  readonly opened: () => number;
  readonly closed: () => number;
}

export function inProcessWorld(behaviour: ClusterBehaviour = {}): InProcessWorld {
  let opened = 0;
  let closed = 0;
  let time = 0;
  return {
    opened: () => opened,
    closed: () => closed,
    now: () => (time += 1),
    openCluster: () => {
      opened++;
      const blobs = memoryBlobs();
      const cluster: RunCluster = {
        url: 'memory:',
        blobs,
        readBlob: ({ sha256 }) => Promise.resolve(blobs.get(sha256)),
        startRun: (request) => Promise.resolve(startRun(request, blobs, behaviour)),
        close: () => {
          closed++;
          return Promise.resolve();
        },
      };
      return Promise.resolve(cluster);
    },
  };
}

/** As trees arrive at a coordinator: JSON has no negative zero. */
function overTheWire(trees: readonly BinnedTree[]): unknown[] {
  return JSON.parse(JSON.stringify(trees.map((tree) => encodeTree(tree)))) as unknown[];
}

function startRun(request: RunRequest, blobs: MemoryBlobs, behaviour: ClusterBehaviour): RunHandle {
  behaviour.onRequest?.(request);
  const listeners = new Set<(event: RunEvent) => void>();
  const emit = (event: RunEvent): void => listeners.forEach((listener) => listener(event));
  let stopped = false;
  const run = async (): Promise<RunOutcome> => {
    await Promise.resolve();
    const { spec } = request;
    if (spec.trainer !== 'gbdt') throw new Error('this cluster grows trees alone');
    const device = createCpuTreeDevice(spec.device);
    const [collective] = memoryGroup(1);
    const held = new Map<string, EvaluationBlock[]>();
    let rows = 0;
    for (const shard of request.shards) {
      const block = decodeShard(blobs.get(shard.sha256));
      if (block.rows !== shard.rows || block.firstRow !== shard.firstRow) throw new Error('shard mismatch');
      const loaded = await device.load(
        binnedBlock(block, spec),
        shard.dataset === 'train' ? 'train' : 'evaluate',
      );
      const list = held.get(shard.dataset) ?? [];
      list.push({ block: loaded, labels: block.labels, weights: block.weights });
      held.set(shard.dataset, list);
      if (shard.dataset === 'train') rows += shard.rows;
    }
    emit({
      type: 'group',
      generation: 1,
      workers: [{ workerId: 'w0', runtime: 'node', device: 'cpu', rows }],
    });
    const rounds: CommittedRound[] = [];
    const measured = roundMetrics(spec);
    let extra = behaviour.roundsAfterStop ?? 0;
    for (let round = 0; round < spec.numBoostRound; round++) {
      if (stopped && extra-- <= 0) break;
      if (behaviour.failAfter?.rounds === round) throw behaviour.failAfter.error;
      const trees = await boostRound({ device, collective: collective!, spec, round });
      device.applyTrees(
        [...held.values()].flat().map(({ block }) => block),
        trees,
      );
      const metrics = await evaluateRound({
        device,
        collective: collective!,
        metrics: measured,
        blocks: (name) => held.get(name) ?? [],
      });
      const committed = { round, payload: overTheWire(trees), metrics };
      rounds.push(committed);
      emit({
        type: 'round',
        committed,
        timings: [{ workerId: 'w0', computeMs: 1, exchangeMs: 0, bytesSent: 0 }],
      });
      if (!behaviour.remote && request.shouldStop?.(committed)) stopped = true;
    }
    await device.close();
    return { status: stopped ? 'stopped' : 'finished', rounds };
  };
  const done = run();
  done.catch(() => undefined);
  return {
    runId: request.runId,
    done,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: () => void (stopped = true),
  };
}
