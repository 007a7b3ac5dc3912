// Predicts small requests on the thread that serves HTTP: handing them to another thread and waking it takes longer than
// predicting them here. Larger ones, and models that are slow, go to replicas. What is small is learned from requests: the
// first runs of a function are slow, before it is compiled, and rows of one size differ by what is in them.

import type { ReplicaOp } from './replica.ts';
import type { TreeOptions } from './predictorOptions.ts';
import { TreeProgram } from './treeProgram.ts';

/** Nothing that would hold up other requests for longer is predicted here. */
const MAX_HOLD_MS = 0.2;
/** No larger body is predicted here. */
export const MAX_SMALL_BYTES = 16 * 1024;
/** Is spent on runs before the first request. */
const FIRST_MS = 20;
/** Of their body, or a row where that is longer. */
const FIRST_BYTES = 2_048;
/** Of bodies of a size that is thought to take longer, one in so many is tried here all the same. */
const TRY_EVERY = 8;
/** After so many tries that did not make it small, twice as many requests lie between two. */
const TRIES = 64;
const TRY_EVERY_AT_MOST = 4_096;
/** What would hold up others for longer is not tried. */
const MAX_TRIED_MS = 25 * MAX_HOLD_MS;
/** How fast a time that was seen once is forgotten. */
const FORGET = 1.05;

/** Bodies of one power of two of bytes, or less. */
interface SizeClass {
  /** The shortest time of a run, as far as it is not forgotten. */
  ms: number;
  /** Requests up to the next try, and from one to the one after it. */
  untilTry: number;
  tryEvery: number;
  tries: number;
}

export class SmallRequests {
  readonly #program: Pick<TreeProgram, 'run'>;
  readonly #nowMs: () => number;
  readonly #sizes: readonly SizeClass[];

  /** @param firstMs how long a body of `firstBytes` takes. Those of other sizes are thought to take as long a byte. */
  constructor(
    program: Pick<TreeProgram, 'run'>,
    firstBytes: number,
    firstMs: number,
    nowMs = (): number => performance.now(),
  ) {
    this.#program = program;
    this.#nowMs = nowMs;
    this.#sizes = Array.from({ length: classOf(MAX_SMALL_BYTES) + 1 }, (_, power) => ({
      ms: (firstMs * 2 ** power) / firstBytes,
      untilTry: TRY_EVERY,
      tryEvery: TRY_EVERY,
      tries: 0,
    }));
  }

  /** Measures how long rows take. @throws ModelFormatError, ModelUnsupportedError, ServeArgumentError */
  static of(modelText: string, options: TreeOptions): SmallRequests {
    const program = new TreeProgram(modelText, options);
    const body = sampleBody(program.features);
    const startedAtMs = performance.now();
    let fastestMs = Infinity;
    for (let last = startedAtMs, now = last; now - startedAtMs < FIRST_MS; last = now) {
      program.run('http', [body]);
      now = performance.now();
      fastestMs = Math.min(fastestMs, now - last);
    }
    return new SmallRequests(program, body.length, fastestMs);
  }

  /** Whether a body is to be predicted here. */
  takes(bytes: number): boolean {
    if (bytes > MAX_SMALL_BYTES) return false;
    const size = this.#sizes[classOf(bytes)]!;
    if (size.ms <= MAX_HOLD_MS) return true;
    if (size.ms > MAX_TRIED_MS || --size.untilTry > 0) return false;
    if (++size.tries % TRIES === 0) size.tryEvery = Math.min(TRY_EVERY_AT_MOST, 2 * size.tryEvery);
    size.untilTry = size.tryEvery;
    return true;
  }

  /** @throws ServeInputError, BadRequestError */
  run(op: ReplicaOp, args: readonly [string | Uint8Array, (number | undefined)?]): unknown {
    const size = this.#sizes[classOf(args[0].length)]!;
    const startedAtMs = this.#nowMs();
    const value = this.#program.run(op, args);
    const tookMs = this.#nowMs() - startedAtMs;
    // What is slow once may be so because the machine has other work.
    const remembered = Math.min(MAX_TRIED_MS, size.ms * FORGET);
    size.ms = Math.min(tookMs, remembered);
    if (size.ms <= MAX_HOLD_MS) size.tryEvery = TRY_EVERY;
    return value;
  }
}

/** The power of two that is as large as `bytes`. */
function classOf(bytes: number): number {
  return bytes <= 1 ? 0 : 32 - Math.clz32(bytes - 1);
}

function sampleBody(features: TreeProgram['features']): Uint8Array {
  const valueOf = ({ codes }: (typeof features)[number]): unknown =>
    codes === undefined ? 0.5 : (codes.keys().next().value ?? null);
  const row = JSON.stringify(Object.fromEntries(features.map((feature) => [feature.name, valueOf(feature)])));
  const rows = Math.max(1, Math.floor(FIRST_BYTES / row.length));
  return Buffer.from(`[${Array.from({ length: rows }, () => row).join()}]`);
}
