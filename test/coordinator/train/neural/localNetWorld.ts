// A cluster of one in this process for NeuralTrainer: a real session trains, on tfjs's autodiff unless told otherwise; the
// coordinator is this file.

import type { NeuralWorld } from '../../../../coordinator/train/neural/netRun.ts';
import type {
  RunEvent,
  RunHandle,
  RunOutcome,
  RunRequest,
} from '../../../../coordinator/core/run/runRequest.ts';
import { loadTfjs } from '../../../../client/neural/tfjs/loadTfjs.ts';
import { openTfjsEngine } from '../../../../client/neural/tfjs/tfjsEngine.ts';
import { createTrainingEngine } from '../../../../shared/neural/engine/createTrainingEngine.ts';
import { readModel } from '../../../../shared/neural/model/readModel.ts';
import { SessionWorld } from '../../../client/session/sessionWorld.ts';

const WORKER = 'w0';

type OpenEngine = ConstructorParameters<typeof SessionWorld>[0];

export async function localNetWorld(openEngine?: OpenEngine): Promise<NeuralWorld> {
  const runtime = await loadTfjs(undefined);
  let time = 0;
  return {
    now: () => (time += 1),
    openCluster: () => {
      const world = new SessionWorld(
        openEngine ?? ((spec) => openTfjsEngine({ ...spec, topology: spec.topology as object }, runtime)),
      );
      return Promise.resolve({
        url: 'memory:',
        blobs: {
          putBytes: (bytes: Uint8Array) =>
            Promise.resolve({ sha256: world.put(bytes), sizeBytes: bytes.byteLength }),
        },
        readBlob: ({ sha256 }) => Promise.resolve(world.blobs.get(sha256)!),
        startRun: (request) => Promise.resolve(startRun(world, request)),
        close: () => world.close(),
      });
    },
  };
}

/** The same with the compiled engine on the processor. */
export function compiledNetWorld(): Promise<NeuralWorld> {
  return localNetWorld((spec) => {
    const read = readModel(spec.topology);
    if (read.kind !== 'compiled') throw new Error(read.part.reason);
    return createTrainingEngine({ ...spec, graph: read.graph }, { device: 'cpu' });
  });
}

function startRun(world: SessionWorld, { runId, spec }: RunRequest): RunHandle {
  if (spec.trainer !== 'neural') throw new Error('this cluster trains nets alone');
  const listeners = new Set<(event: RunEvent) => void>();
  const emit = (event: RunEvent): void => listeners.forEach((listener) => listener(event));
  const run = async (): Promise<RunOutcome> => {
    world.addWorker(WORKER);
    world.say(WORKER, {
      type: 'assign',
      runId,
      generation: 1,
      rank: 0,
      members: [{ rank: 0, workerId: WORKER, peerId: WORKER }],
      linkKeys: {},
      leases: [],
      spec: world.putJson(spec),
      stateHolders: [],
      committedRounds: 0,
      payloads: null,
    });
    await world.hear(WORKER, 'ready');
    const rows = spec.train.rows;
    emit({
      type: 'group',
      generation: 1,
      workers: [{ workerId: WORKER, runtime: 'node', device: 'cpu', rows }],
    });
    world.say(WORKER, { type: 'begin', runId, generation: 1 });
    for (let told = 0; told < spec.steps;) {
      const message = await world.hearAny(WORKER, ['committed', 'saved']);
      if (message.type === 'saved') {
        const { rounds, sha256, sizeBytes } = message;
        emit({ type: 'checkpoint', rounds, sha256, sizeBytes });
      } else {
        told = message.round + 1;
        const committed = { round: message.round, payload: [], metrics: message.metrics ?? {} };
        emit({ type: 'round', committed, timings: [] });
      }
    }
    return { status: 'finished', rounds: [] };
  };
  // The owner listens first.
  const done = Promise.resolve().then(run);
  done.catch(() => undefined);
  return {
    runId,
    done,
    onEvent(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: () => undefined,
  };
}
