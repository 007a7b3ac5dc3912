// How the calls of a program look: what a message's value becomes before the program's code sees it, and back.

import { batchOfBytes, bytesOfBatch } from '../../shared/columns/ipc/batchBytes.ts';
import type { BatchFormat } from '../../shared/columns/batchFormats.ts';
import { callOnBatch } from '../../shared/columns/callOnBatch.ts';
import { DictionaryStrings } from '../../shared/columns/dictionaryStrings.ts';

import { ServeRequest, type RequestParts } from '../../shared/serve/serveRequest.ts';

/** An opened program: an object of the owner's class, or a function as the method `call`. */
export type ProgramMethods = Readonly<Record<string, unknown>>;

/** Calls a method; the signal fires when the caller has gone. */
export type ProgramForm = (
  program: ProgramMethods,
  method: string,
  args: readonly unknown[],
  signal: AbortSignal,
) => unknown;

/** Arguments and answer as they are; the signal comes last. */
const plain: ProgramForm = (program, method, args, signal) => invoke(program, method, [...args, signal]);

/**
 * args: [a batch in Arrow's IPC format, the form of batch that the method takes]; the answer is a batch. `close` has no
 * batch: it is called once, after all others, and a program need not have it.
 */
const batches: ProgramForm = async (program, method, [bytes, format], signal) => {
  if (method === 'close') {
    if (typeof program['close'] === 'function') await invoke(program, 'close', []);
    return undefined;
  }
  const mapped = await callOnBatch(
    (batch) => invoke(program, method, [batch, signal]),
    batchOfBytes(bytes as Uint8Array),
    { format: format as BatchFormat, label: 'it', strings: new DictionaryStrings() },
  );
  return bytesOfBatch(mapped);
};

/** What a replica of a served class is asked: see coordinator/serve/replica/replica.ts. */
const service: ProgramForm = (program, op, args, signal) => {
  switch (op) {
    case 'http':
      return invoke(program, 'call', [new ServeRequest(args[0] as RequestParts), signal]);
    case 'health':
      return typeof program['checkHealth'] === 'function' ? invoke(program, 'checkHealth', []) : undefined;
    default:
      return invoke(program, args[0] as string, args[1] as readonly unknown[]);
  }
};

export const programForms: ReadonlyMap<string, ProgramForm> = new Map([
  ['plain', plain],
  ['batches', batches],
  ['service', service],
]);

/** Methods of Object.prototype and the constructor can not be called. */
function invoke(program: ProgramMethods, method: string, args: readonly unknown[]): unknown {
  const found = method === 'constructor' || method in Object.prototype ? undefined : program[method];
  if (typeof found !== 'function') throw new TypeError(`the program has no method "${method}"`);
  return Reflect.apply(found, program, args);
}
