// How a dataset is consumed.

import { tmpdir } from 'node:os';
import type { RunContext } from './plan/runContext.ts';

/** How rows of a dataset are taken: what ends it early, and the memory that it may use. */
export interface ConsumeOptions {
  /** Ends the stream: the consumer gets the reason of the signal as an error. */
  readonly signal?: AbortSignal;
  /** Bytes of rows that one operator (shuffle, sort, groupBy, materialize) keeps in memory; 256 MiB by default. */
  readonly memoryLimitBytes?: number;
}

const DEFAULT_MEMORY_LIMIT_BYTES = 256 * 1024 * 1024;

export function contextOf({
  signal,
  memoryLimitBytes = DEFAULT_MEMORY_LIMIT_BYTES,
}: ConsumeOptions): RunContext {
  return { signal, memoryLimitBytes, tempFolder: tmpdir() };
}
