import { describe, expect, it } from 'vitest';
import type { LocalRuntime, LocalWorker } from '../../../coordinator/options/localWorker.ts';
import { LocalWorkerGroup } from '../../../coordinator/cluster/localWorkerGroup.ts';
import type { LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { LocalWorkersOptions } from '../../../coordinator/cluster/local/localWorkersOptions.ts';

interface FakeWorker extends LocalWorker {
  end(reason: string): void;
}

/** Workers that are nothing but their promises; `refuse` makes the next start fail. */
function fakeStart() {
  const workers: FakeWorker[] = [];
  const state = { refuse: undefined as Error | undefined, stopped: 0 };
  const start = ({ count, runtime }: LocalWorkersOptions): Promise<LocalWorkers> => {
    if (state.refuse) return Promise.reject(state.refuse);
    const kinds = (Array.isArray(runtime) ? runtime : [runtime]) as LocalRuntime[];
    const group = Array.from({ length: count }, (_, index): FakeWorker => {
      let end: (reason: string) => void = () => undefined;
      const ended = new Promise<string>((resolve) => (end = resolve));
      return {
        kind: kinds[index % kinds.length]!,
        pid: 0,
        workerId: `w${workers.length + index}`,
        device: { kind: 'cpu', name: 'fake' },
        ended,
        end,
        stop: () => Promise.resolve(),
        kill: () => Promise.resolve(),
      };
    });
    workers.push(...group);
    return Promise.resolve({
      workers: group,
      stop: () => {
        state.stopped += group.length;
        return Promise.resolve();
      },
    });
  };
  return { start, workers, state };
}

const options = { url: 'http://127.0.0.1:1', device: 'cpu', count: 2, min: 2 } as const;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('LocalWorkerGroup', () => {
  it('replaces a worker that ended by one of the same runtime', async () => {
    const { start, workers } = fakeStart();
    const group = new LocalWorkerGroup({ ...options, runtime: ['node', 'deno'], start });
    await group.ready;
    workers[1]!.end('killed');
    await settled();
    expect(workers.map(({ kind }) => kind)).toEqual(['node', 'deno', 'deno']);
    await group.stop();
  });

  it('says how many are left when one can not be replaced', async () => {
    const { start, workers, state } = fakeStart();
    const group = new LocalWorkerGroup({ ...options, runtime: 'node', start });
    await group.ready;
    state.refuse = new Error('no memory');
    workers[0]!.end('killed');
    await expect(group.lost).rejects.toMatchObject({
      code: 'TRAIN_WORKERS_LOST',
      message: expect.stringMatching(/1 of 2 local workers are left, the run needs 2.*no memory/) as string,
    });
    await group.stop();
  });

  it('does not mind a loss while there are enough', async () => {
    const { start, workers, state } = fakeStart();
    const group = new LocalWorkerGroup({ ...options, min: 1, runtime: 'node', start });
    await group.ready;
    state.refuse = new Error('no memory');
    workers[0]!.end('killed');
    await settled();
    expect(await Promise.race([group.lost.catch(() => 'lost'), settled().then(() => 'going on')])).toBe(
      'going on',
    );
    await group.stop();
  });

  it('gives up on workers that end again and again', async () => {
    const { start, workers } = fakeStart();
    const group = new LocalWorkerGroup({ ...options, count: 1, min: 1, runtime: 'node', start });
    await group.ready;
    for (let turn = 0; turn < 4; turn++) {
      workers.at(-1)!.end(`crash ${turn}`);
      await settled();
    }
    await expect(group.lost).rejects.toThrow(/The last one: crash 3/);
    expect(workers).toHaveLength(4);
    await group.stop();
  });

  it('stops everybody, replacements too, and replaces nobody afterwards', async () => {
    const { start, workers, state } = fakeStart();
    const group = new LocalWorkerGroup({ ...options, runtime: 'node', start });
    await group.ready;
    workers[0]!.end('killed');
    await settled();
    await group.stop();
    workers[1]!.end('stopped');
    await settled();
    expect(workers).toHaveLength(3);
    expect(state.stopped).toBe(3);
  });

  it('reports that a worker could not be started', async () => {
    const { start, state } = fakeStart();
    state.refuse = new Error('no such runtime');
    const group = new LocalWorkerGroup({ ...options, runtime: 'node', start });
    await expect(group.ready).rejects.toThrow('no such runtime');
    await group.stop();
  });
});
