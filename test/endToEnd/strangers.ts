// Workers that join a coordinator as strangers do, by its link alone: honest ones, and ones whose code somebody changed.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { TOKEN_FROM_INPUT } from '../../shared/protocol/launchReport.ts';

const START_TIMEOUT_MS = 60_000;
const LEAVE_TIMEOUT_MS = 5_000;

/** What a stranger runs; without any of it the worker that is built. */
export interface StrangerProgram {
  /** A file of fixtures/ that is loaded first and changes what the worker does. */
  readonly preload?: string;
  /** Built bundles have copies of their own of the classes that a preload changes. */
  readonly isFromSource?: boolean;
  /** Which lie, where the preload knows several. */
  readonly env?: Readonly<Record<string, string>>;
}

export class Strangers {
  readonly #coordinator: Coordinator;
  readonly #children: ChildProcess[] = [];

  constructor(coordinator: Coordinator) {
    this.#coordinator = coordinator;
  }

  /** @returns its id. */
  async add({ preload, isFromSource = false, env = {} }: StrangerProgram = {}): Promise<string> {
    const { url, tokens } = this.#coordinator;
    // By this the pool's worker is known as the process that is started here, also where several are.
    const name = `stranger ${this.#children.length}`;
    const loaded = preload === undefined ? [] : ['--import', `./test/endToEnd/fixtures/${preload}.ts`];
    const sources = isFromSource || preload !== undefined ? ['--import', 'tsx'] : [];
    const worker = isFromSource ? 'client/runtime/worker.node.ts' : 'dist/node/worker.js';
    const flags = ['--url', url, '--device', 'cpu', '--cache', 'none', '--code', 'deny', '--name', name];
    flags.push('--token', TOKEN_FROM_INPUT);
    const child = spawn(process.execPath, [...sources, ...loaded, worker, ...flags], {
      stdio: ['pipe', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#children.push(child);
    child.stdin.write(`${tokens.join}\n`);
    return this.#joined(name, child);
  }

  /** Ends all of them, and waits until the coordinator knows. */
  async dismiss(): Promise<void> {
    const ended = this.#children.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      // In order: of who is killed the coordinator waits first whether it comes back.
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), LEAVE_TIMEOUT_MS);
      await gone;
      clearTimeout(late);
    });
    await Promise.all(ended);
    await this.#emptied();
  }

  async #joined(name: string, child: ChildProcess): Promise<string> {
    let said = '';
    child.stderr?.on('data', (data: Buffer) => (said += data.toString()));
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error(`The stranger did not join: ${said}`));
      const late = setTimeout(fail, START_TIMEOUT_MS);
      child.once('exit', fail);
      const unsubscribe = this.#coordinator.pool.on(({ worker }) => {
        if (worker.name !== name || worker.peerId === undefined) return;
        clearTimeout(late);
        unsubscribe();
        resolve(worker.workerId);
      });
    });
  }

  async #emptied(): Promise<void> {
    const { pool } = this.#coordinator;
    if (pool.workers().length === 0) return;
    await new Promise<void>((resolve) => {
      const unsubscribe = pool.on(() => {
        if (pool.workers().length > 0) return;
        unsubscribe();
        resolve();
      });
    });
  }
}
