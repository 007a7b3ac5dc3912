// One acceptor, seen from the serving process.

import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { builtFile } from '../../files/builtFile.ts';
import { UnavailableError } from '../request/serveErrors.ts';
import type { AcceptedApp, AcceptorSettings, FromAcceptor, ToAcceptor } from './acceptorMessages.ts';

function acceptorProgram(): string {
  const found = builtFile('node/acceptor.js');
  if (found !== undefined) return found;
  throw new UnavailableError('The program of acceptors is not built; run "npm run build:js" first.');
}

export class AcceptorProcess {
  /** Resolves when it takes connections; rejects when it ends before. */
  readonly ready: Promise<void>;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, () => void>();
  #lastChange = 0;
  #isReady = false;

  /** @param answered is told what it answered itself. */
  constructor(
    settings: AcceptorSettings,
    answered: (message: Extract<FromAcceptor, { type: 'answered' }>) => void,
  ) {
    const child = fork(acceptorProgram(), [], { execArgv: [] });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      const over = (how: string): void => {
        this.#isReady = false;
        for (const done of this.#waiting.values()) done();
        this.#waiting.clear();
        resolve(how);
      };
      child.once('error', (error) => over(error.message));
      child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`));
    });
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message: FromAcceptor) => {
        if (message.type === 'answered') answered(message);
        else if (message.type === 'done') {
          this.#waiting.get(message.change)?.();
          this.#waiting.delete(message.change);
        } else {
          this.#isReady = true;
          resolve();
        }
      });
      void this.ended.then((how) =>
        reject(new UnavailableError(`A process that takes connections did not start: ${how}.`)),
      );
    });
    this.ready.catch(() => undefined);
    this.tell({ type: 'start', settings });
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Resolves when it answers for these applications and no others, or has ended. */
  setApps(apps: readonly AcceptedApp[]): Promise<void> {
    return this.#done((change) => ({ type: 'apps', change, apps }));
  }

  /** Resolves when it has told what it has answered up to now, or has ended. */
  count(): Promise<void> {
    return this.#done((change) => ({ type: 'tell', change }));
  }

  give(socket: Socket): void {
    this.tell({ type: 'connection' }, socket);
  }

  tell(message: ToAcceptor, socket?: Socket): void {
    if (!this.#child.connected) {
      socket?.destroy();
      return;
    }
    this.#child.send(message, socket, (error) => {
      if (error) socket?.destroy();
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #done(message: (change: number) => ToAcceptor): Promise<void> {
    const change = ++this.#lastChange;
    return new Promise((resolve) => {
      if (!this.#child.connected) resolve();
      else {
        this.#waiting.set(change, resolve);
        this.tell(message(change));
      }
    });
  }
}
