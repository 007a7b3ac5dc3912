// What a worker must do in whichever runtime it lives. Real processes and real tabs, against a real coordinator.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  LocalDevice,
  LocalRuntime,
  LocalWorkers,
} from '../../../coordinator/cluster/local/localWorkers.ts';
import { startLocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import type { PoolEvent, PoolWorker } from '../../../coordinator/core/pool/poolWorker.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import type { WorkerMessageOf } from '../../../shared/protocol/control.ts';
import { startMeddlingProxy, type MeddlingProxy } from './meddlingProxy.ts';

const EVENT_TIMEOUT_MS = 20_000;
const TOKEN = 'let-me-in';

export function workerRuntimeContract(runtime: LocalRuntime): void {
  describe(`a worker in ${runtime}`, () => {
    let coordinator: Coordinator;
    let proxy: MeddlingProxy;
    const started: LocalWorkers[] = [];

    beforeAll(async () => {
      coordinator = await startCoordinator({ port: 0, joinToken: TOKEN, pingIntervalMs: 500 });
      proxy = await startMeddlingProxy(coordinator.url);
    });

    afterAll(async () => {
      await Promise.all(started.map((workers) => workers.stop()));
      proxy.close();
      await coordinator.close();
    });

    const start = async (device: LocalDevice, options: { token?: string; softwareGpu?: boolean } = {}) => {
      const workers = await startLocalWorkers({
        url: proxy.url,
        token: TOKEN,
        count: 1,
        runtime,
        threads: 2,
        device,
        softwareGpu: true,
        ...options,
      });
      started.push(workers);
      const [worker] = workers.workers;
      if (!worker) throw new Error('no worker was started');
      return worker;
    };

    /** The first event from now on for which `pick` returns something. */
    const event = <T>(what: string, pick: (event: PoolEvent) => T | undefined): Promise<T> =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          off();
          reject(new Error(`Not seen within ${EVENT_TIMEOUT_MS} ms: ${what}`));
        }, EVENT_TIMEOUT_MS);
        const off = coordinator.pool.on((event) => {
          const picked = pick(event);
          if (picked === undefined) return;
          clearTimeout(timer);
          off();
          resolve(picked);
        });
      });

    const changed = (what: string, workerId: string, holds: (worker: PoolWorker) => boolean) => {
      const worker = coordinator.pool.worker(workerId);
      if (worker && holds(worker)) return Promise.resolve(worker);
      return event(what, (event) =>
        event.type === 'changed' && event.worker.workerId === workerId && holds(event.worker)
          ? event.worker
          : undefined,
      );
    };

    const lost = (workerId: string): Promise<string> =>
      event('the loss of the worker', (event) =>
        event.type === 'lost' && event.worker.workerId === workerId ? event.reason : undefined,
      );

    /** Asks something that every worker answers. */
    const isAlive = async (workerId: string, generation: number): Promise<WorkerMessageOf<'halted'>> => {
      const answer = event('an answer to halt', (event) =>
        event.type === 'message' && event.message.type === 'halted' && event.message.generation === generation
          ? event.message
          : undefined,
      );
      const halt = { runId: 'none', generation, when: 'now', knownRounds: 0, reason: 'test' } as const;
      expect(coordinator.pool.send(workerId, { type: 'halt', ...halt })).toBe(true);
      return answer;
    };

    describe.each(['webgpu', 'cpu'] as const)('on %s', (device) => {
      test('joins, reports its device truthfully, comes back as itself, shrugs off nonsense and leaves when asked', async () => {
        const worker = await start(device);
        const { workerId } = worker;
        const joined = coordinator.pool.worker(workerId);
        expect(joined).toMatchObject({ runtime, present: true, session: 1, device: { kind: device } });
        if (device === 'webgpu') expect(joined?.device.name).toMatch(/swiftshader/i);
        else expect(joined?.device).toEqual({ kind: 'cpu', name: 'WebAssembly, 2 threads' });
        expect(worker.device).toEqual(joined?.device);
        expect(joined?.cores).toBeGreaterThanOrEqual(1);
        await changed('its PeerJS id', workerId, ({ peerId }) => peerId !== undefined);

        for (const nonsense of ['', '{', '[]', '{"type":"dance"}', '{"type":"assign","runId":7}']) {
          proxy.inject(nonsense);
        }
        proxy.inject(new Uint8Array(1000));
        proxy.inject(`{"type":"begin","runId":"${'x'.repeat(100_000)}","generation":1}`);
        expect(await isAlive(workerId, 1)).toMatchObject({ committedRounds: 0, rounds: [] });

        proxy.refuse = true;
        proxy.drop();
        await changed('its absence', workerId, ({ present }) => !present);
        proxy.refuse = false;
        const back = await changed('its return', workerId, ({ session }) => session === 2);
        expect(back).toMatchObject({ workerId, present: true, device: joined?.device });
        await isAlive(workerId, 2);

        const goodbye = lost(workerId);
        await worker.stop();
        expect(await goodbye).toMatch(/SIGTERM|volunteer left/);
        await worker.ended;
      });
    });

    test('ends when the coordinator sends it away for good', async () => {
      const worker = await start('cpu');
      coordinator.pool.send(worker.workerId, { type: 'shutdown', reconnect: false, reason: 'enough' });
      expect(await worker.ended).toMatch(/^exit code 0$|closed/);
    });

    test('prefers the cpu device to a software adapter, and says so', async () => {
      const worker = await start('auto');
      expect(worker.device).toMatchObject({ kind: 'cpu', name: 'WebAssembly, 2 threads' });
      expect(worker.device.reason).toMatch(/software/);
      await worker.kill();
      await worker.ended;
    });

    test('that is not let in fails with the reason of the coordinator', async () => {
      await expect(start('cpu', { token: 'wrong' })).rejects.toMatchObject({
        code: 'WORKER_START_FAILED',
        message: expect.stringContaining('The join token is missing or wrong') as string,
      });
    });
  });
}
