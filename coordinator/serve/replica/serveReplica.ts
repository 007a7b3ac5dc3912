// The program of a replica's thread: makes the model or the owner's class, then answers calls until it is ended.

import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { createJiti } from 'jiti';
import { ServeArgumentError } from '../request/serveErrors.ts';
import { reviveHandles, type HandleCaller } from './handle.ts';
import { StreamedAnswer } from '../stream/streamedAnswer.ts';
import { ThreadStreams } from './threadStreams.ts';
import { ClassProgram, type DeployableClass } from './classProgram.ts';
import { LayersProgram } from './layersProgram.ts';
import { openServedNet } from './openServedNet.ts';
import type { ReplicaProgram } from './replica.ts';
import {
  fromPlainError,
  toPlainError,
  type CallItem,
  type FromReplica,
  type PlainError,
  type ReplyItem,
  type ThreadProgram,
  type ToReplica,
} from './replicaMessages.ts';
import { TreeProgram } from './treeProgram.ts';

const port = parentPort!;
const tell = (message: FromReplica): void => port.postMessage(message);

const handleCalls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let lastHandleCall = 0;

/** Calls of other deployments go through the server's thread, which knows their replicas. */
const callDeployment: HandleCaller = (deployment, method, args) =>
  new Promise((resolve, reject) => {
    const call = ++lastHandleCall;
    tell({ type: 'handleCall', call, deployment, method, args });
    handleCalls.set(call, { resolve, reject });
  });

async function makeProgram(spec: ThreadProgram): Promise<ReplicaProgram> {
  if (spec.kind === 'tree') return new TreeProgram(spec.modelText, spec.options);
  if (spec.kind === 'layers') {
    return new LayersProgram(await openServedNet(spec.files, spec.options.device), spec.options);
  }
  const target = await importExport(spec.module, spec.exportName);
  return ClassProgram.make(
    spec.deployment,
    target,
    reviveHandles(spec.args, callDeployment) as readonly unknown[],
  );
}

async function importExport(address: string, exportName: string): Promise<DeployableClass> {
  const module: unknown = /\.[cm]?ts$/.test(address)
    ? await createJiti(pathToFileURL(process.cwd()).href).import(address)
    : await import(address);
  const found: unknown = Reflect.get(module as object, exportName);
  if (typeof found === 'function') return found as DeployableClass;
  throw new ServeArgumentError(`${address} exports no class "${exportName}".`);
}

const running = new Map<number, AbortController>();
/** The making of the program and the calls that it has not answered. */
const inHand = new Set<Promise<unknown>>();
const keep = <T>(work: Promise<T>): Promise<T> => {
  inHand.add(work);
  void work.catch(() => undefined).finally(() => inHand.delete(work));
  return work;
};
const streams = new ThreadStreams(tell);

/** Answers of one message go back in one message, as far as they are ready at once. */
function answerAll(program: ReplicaProgram, items: readonly CallItem[]): void {
  const replies: ReplyItem[] = [];
  for (const [call, op, args] of items) {
    try {
      const controller = program instanceof TreeProgram ? undefined : new AbortController();
      const value = program.run(op, args, controller?.signal);
      if (controller === undefined || !(value instanceof Promise)) {
        replies.push([call, undefined, value]);
        continue;
      }
      running.set(call, controller);
      void keep(value)
        .then(
          (value: unknown) =>
            value instanceof StreamedAnswer ? streams.send(call, value) : reply(call, undefined, value),
          (error: unknown) => reply(call, toPlainError(error), undefined),
        )
        .finally(() => running.delete(call));
    } catch (error) {
      replies.push([call, toPlainError(error), undefined]);
    }
  }
  if (replies.length > 0) tell({ type: 'replies', items: replies });
}

function reply(call: number, error: PlainError | undefined, value: unknown): void {
  try {
    tell({ type: 'replies', items: [[call, error, value]] });
  } catch (cause) {
    // A value that can not be copied between threads, e.g. a function.
    tell({ type: 'replies', items: [[call, toPlainError(cause), undefined]] });
  }
}

let program: ReplicaProgram | undefined;
let isEnding = false;

// Before the program is made: its constructor may call other deployments.
port.on('message', (message: ToReplica) => {
  if (message.type === 'calls') {
    if (program && !isEnding) answerAll(program, message.items);
  } else if (message.type === 'cancel') running.get(message.call)?.abort();
  else if (message.type === 'end') {
    isEnding = true;
    // Dawn aborts the process when a thread ends that waits for it: its device is given back before.
    const close = async (): Promise<void> => program?.close?.();
    void Promise.allSettled(inHand)
      .then(close)
      .finally(() => process.exit());
  } else if (message.type === 'handleReply') {
    const [call, error, value] = message.reply;
    const waiting = handleCalls.get(call);
    handleCalls.delete(call);
    if (error) waiting?.reject(fromPlainError(error));
    else waiting?.resolve(value);
  } else {
    if (message.type === 'endPieces') running.get(message.call)?.abort();
    streams.receive(message, (call, stream) => {
      handleCalls.get(call)?.resolve(stream);
      handleCalls.delete(call);
    });
  }
});
try {
  program = await keep(makeProgram(workerData as ThreadProgram));
  tell({ type: 'ready', facts: program.facts });
} catch (error) {
  tell({ type: 'failed', error: toPlainError(error) });
}
