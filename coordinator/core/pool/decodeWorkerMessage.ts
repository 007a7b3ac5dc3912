// Text from a worker becomes a message or a sentence that says what is wrong with it.

import { workerMessage } from '../../../shared/protocol/control.ts';
import type { WorkerMessage, WorkerMessageOf } from '../../../shared/protocol/control.ts';
import {
  maxWorkerMessageBytes,
  MAX_SHORT_MESSAGE_BYTES,
} from '../../../shared/protocol/workerMessageBytes.ts';
import { beyondShape, type JsonShape } from '../../../shared/text/jsonShape.ts';

export type Decoded = { readonly message: WorkerMessage } | { readonly error: string };

/** Of messages that are not short: trees have ten arrays each and are six levels deep, metrics have the most keys. */
const LONG_SHAPE: JsonShape = { maxDepth: 16, maxKeys: 1024, maxContainers: 1 << 20 };

/** @param workerId of the worker that sent it, where that is known. */
export function decodeWorkerMessage(text: string, workerId?: string): Decoded {
  if (text.length > MAX_SHORT_MESSAGE_BYTES) {
    const wrong = tooLong(text) ?? beyondShape(text, LONG_SHAPE);
    if (wrong !== undefined) return { error: wrong };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: 'A control message must be JSON.' };
  }
  const parsed = workerMessage.safeParse(value);
  if (parsed.success) {
    const { type } = parsed.data;
    if (type === 'available' && workerId !== undefined && parsed.data.peerId !== workerId)
      return { error: `"peerId" of "available" must be the worker's own id.` };
    return text.length > maxWorkerMessageBytes[type]
      ? { error: lengthError(text, type) }
      : { message: parsed.data };
  }
  const issue = parsed.error.issues[0];
  const field = issue && issue.path.length > 0 ? `"${issue.path.join('.')}"` : 'the message';
  return {
    error: `A control message is not understood: ${field}: ${issue?.message ?? 'unknown form'}`.slice(0, 500),
  };
}

/** Looks at how a long text begins, before it is parsed. */
function tooLong(text: string): string | undefined {
  const type = /^\s{0,8}\{\s{0,8}"type"\s{0,8}:\s{0,8}"(\w{1,20})"/.exec(text.slice(0, 100))?.[1] ?? '';
  if (!isType(type)) {
    return `A control message of more than ${MAX_SHORT_MESSAGE_BYTES} characters must begin with its type.`;
  }
  return text.length > maxWorkerMessageBytes[type] ? lengthError(text, type) : undefined;
}

function lengthError(text: string, type: WorkerMessage['type']): string {
  return `A message "${type}" may have ${maxWorkerMessageBytes[type]} characters, this one has ${text.length}.`;
}

function isType(word: string): word is WorkerMessage['type'] {
  return Object.hasOwn(maxWorkerMessageBytes, word);
}

/** The first message of a socket. */
export function decodeHello(text: string): WorkerMessageOf<'hello'> | { readonly error: string } {
  const decoded = decodeWorkerMessage(text);
  if ('error' in decoded) return decoded;
  const { message } = decoded;
  return message.type === 'hello' ? message : { error: `"${message.type}" came before "hello".` };
}
