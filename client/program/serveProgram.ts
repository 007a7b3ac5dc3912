// The thread of a program: makes it, then answers calls until the thread is ended. It knows neither the network nor the
// coordinator; an endless loop in the owner's code holds up no other program.

import { systemClock, delay } from '../../shared/clock.ts';
import { TabgradError } from '../../kernels/errors.ts';
import { CarriedCheckpoint } from '../../shared/program/carriedCheckpoint.ts';
import {
  decodeProgramFrame,
  encodeProgramFrame,
  frameValue,
  type DecodedFrame,
} from '../../shared/program/programFrame.ts';
import {
  toProgram,
  type FromProgram,
  type OpenProgram,
  type ToProgram,
} from '../../shared/protocol/program.ts';
import { findAdapter } from '../thread/findAdapter.ts';
import type { ThreadPlatform } from '../thread/threadPlatform.ts';
import type { ThreadPort } from '../thread/threadPort.ts';
import { builtinPrograms } from './builtinPrograms.ts';
import type { BuiltinSurroundings } from './builtinSurroundings.ts';
import { ownerError } from '../thread/ownerError.ts';
import { programForms, type ProgramMethods, type ProgramForm } from './programForms.ts';
import type { ThreadStart, ToProgramThread } from './threadMessages.ts';

/** Longest rest at a time. */
const MAX_REST_MS = 2_000;

/** The export is not there, or can't be called. */
class ExportMissingError extends TabgradError {
  readonly code = 'PROGRAM_EXPORT_MISSING';
}

/** @returns what takes the messages of the main thread, in their order. */
export function serveProgram(port: ThreadPort, platform: ThreadPlatform): (message: unknown) => void {
  const thread = new ServedProgram(port, platform);
  return (received) => {
    const message = received as ToProgramThread;
    switch (message.type) {
      case 'start':
        return thread.start(message);
      case 'share':
        return void (thread.share = message.share);
      case 'frame':
        return thread.receive(message.frame);
      case 'end':
        return void thread.end();
    }
  };
}

class ServedProgram {
  share = 1;
  readonly #port: ThreadPort;
  readonly #platform: ThreadPlatform;
  readonly #calls = new Map<number, AbortController>();
  #program: ProgramMethods = {};
  #form: ProgramForm = () => undefined;
  #moduleUrl: string | undefined;
  /** Its start and its calls, until they are over. */
  readonly #inHand = new Set<Promise<void>>();
  #isEnding = false;
  #rested: Promise<void> = Promise.resolve();

  constructor(port: ThreadPort, platform: ThreadPlatform) {
    this.#port = port;
    this.#platform = platform;
  }

  start(start: ThreadStart): void {
    this.share = start.share;
    this.#keep(this.#start(start));
  }

  /** What has not begun is not done any more. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#inHand);
    this.#port.end();
  }

  #keep(work: Promise<void>): void {
    this.#inHand.add(work);
    void work.finally(() => this.#inHand.delete(work));
  }

  async #start(start: ThreadStart): Promise<void> {
    try {
      const frame = decodeProgramFrame(new Uint8Array(start.frame), toProgram) as DecodedFrame<OpenProgram>;
      const checkpoints = start.checkpoints.map(
        (files) => new CarriedCheckpoint(new Map(files.map(({ name, bytes }) => [name, bytes]))),
      );
      const args = frameValue(frame, { revive: (index) => checkpoints[index as number] });
      const form = programForms.get(frame.message.form);
      if (!form)
        throw new ExportMissingError(`This worker knows no programs of the form "${frame.message.form}".`);
      this.#form = form;
      this.#program = await this.#make(frame.message.program, start.source, args as readonly unknown[]);
      this.#say({ type: 'opened' });
    } catch (error) {
      this.#say({ type: 'failed', error: ownerError(error, this.#moduleUrl) });
    }
  }

  receive(bytes: ArrayBuffer): void {
    const frame: DecodedFrame<ToProgram> = decodeProgramFrame(new Uint8Array(bytes), toProgram);
    if (frame.message.type === 'call')
      this.#keep(this.#answer(frame.message.call, frame.message.method, frame));
    else if (frame.message.type === 'cancel') this.#calls.get(frame.message.call)?.abort();
  }

  async #make(
    program: OpenProgram['program'],
    source: string | undefined,
    args: readonly unknown[],
  ): Promise<ProgramMethods> {
    const target =
      program.kind === 'builtin' ? builtin(program.name) : await this.#imported(program.export, source);
    if (!isClass(target)) {
      if (args.length === 0) return { call: target };
      throw new ExportMissingError('A function takes no constructor arguments; export a class for that.');
    }
    const made = new target(...args) as ProgramMethods;
    const { init } = made;
    // The platform is for tabgrad's own programs.
    const given = program.kind === 'builtin' ? [this.#surroundings()] : [];
    if (typeof init === 'function') await Reflect.apply(init, made, given);
    return made;
  }

  async #imported(name: string, source: string | undefined): Promise<Callable> {
    const { url, module } = this.#platform.importText(source ?? '');
    this.#moduleUrl = url;
    const exported = (await module) as object;
    const found: unknown = Reflect.get(exported, name);
    if (typeof found === 'function') return found as Callable;
    const names = Object.keys(exported).join(', ') || 'nothing';
    const what = found === undefined ? 'has no export' : 'exports no function or class';
    throw new ExportMissingError(`The module ${what} "${name}"; it exports ${names}.`);
  }

  async #answer(call: number, method: string, frame: DecodedFrame<ToProgram>): Promise<void> {
    const controller = new AbortController();
    this.#calls.set(call, controller);
    try {
      await this.#rested;
      if (this.#isEnding) return;
      const startedAtMs = systemClock.now();
      const args = frameValue(frame) as readonly unknown[];
      const value = await this.#form(this.#program, method, args, controller.signal);
      const computeMs = systemClock.now() - startedAtMs;
      this.#rest(computeMs);
      this.#say({ type: 'answer', call, computeMs }, value);
    } catch (error) {
      this.#say({ type: 'threw', call, error: ownerError(error, this.#moduleUrl) });
    } finally {
      this.#calls.delete(call);
    }
  }

  #surroundings(): BuiltinSurroundings {
    return {
      findAdapter: () => findAdapter(this.#platform.openGpu),
      // An uncaught error ends a thread, on every platform.
      end: (reason) =>
        queueMicrotask(() => {
          throw new Error(reason);
        }),
    };
  }

  /** The volunteer lends only a share of the time. */
  #rest(computeMs: number): void {
    if (this.share >= 1) return;
    const restMs = Math.min(MAX_REST_MS, computeMs * (1 / this.share - 1));
    this.#rested = this.#rested.then(() => delay(systemClock, restMs));
  }

  #say(message: FromProgram, value?: unknown): void {
    const { buffer } = encodeProgramFrame(message, value, 'the answer');
    this.#port.post(buffer, [buffer]);
  }
}

type Callable = (new (...args: readonly unknown[]) => object) & ((...args: readonly unknown[]) => unknown);

function builtin(name: string): Callable {
  const found = builtinPrograms.get(name);
  if (found) return found as unknown as Callable;
  throw new ExportMissingError(`This worker has no program "${name}"; it may be of an older version.`);
}

function isClass(target: Callable): boolean {
  return /^class\b/.test(Function.prototype.toString.call(target));
}
