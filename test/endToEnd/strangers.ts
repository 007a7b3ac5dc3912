// Workers that join a coordinator as strangers do: by its link alone.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { TOKEN_FROM_INPUT } from '../../shared/protocol/launchReport.ts';

const START_TIMEOUT_MS = 60_000;

export class Strangers {
  readonly #coordinator: Coordinator;
  readonly #children: ChildProcess[] = [];

  constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  /** @param lie see fixtures/lyingNetWorker.ts; honest without it. @returns its id. */
  async add(lie = ''): Promise<string> {
    const { pool, url, tokens } = this.#coordinator;
    const known = new Set(pool.workers().map(({ workerId }) => workerId));
    const program =
      lie === ''
        ? ['dist/node/worker.js']
        : ['--import', 'tsx', './test/endToEnd/fixtures/lyingNetWorker.ts'];
    const flags = ['--url', url, '--device', 'cpu', '--cache', 'none', '--code', 'deny'];
    flags.push('--token', TOKEN_FROM_INPUT);
    const child = spawn(process.execPath, [...program, ...flags], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, LIE: lie },
    });
    this.#children.push(child);
    child.stdin.write(`${tokens.join}\n`);
    let said = '';
    child.stderr.on('data', (data: Buffer) => (said += data.toString()));
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`The stranger did not join: ${said}`)),
        START_TIMEOUT_MS,
      );
      const unsubscribe = pool.on(({ worker }) => {
        if (known.has(worker.workerId) || worker.peerId === undefined) return;
        clearTimeout(late);
        unsubscribe();
        resolve(worker.workerId);
      });
    });
  }

  /** Ends all of them, and waits until the coordinator knows. */
  async dismiss(): Promise<void> {
    const ended = this.#children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    });
    await Promise.all(ended);
    while (this.#coordinator.pool.workers().length > 0) await new Promise((resolve) => setImmediate(resolve));
  }
}
