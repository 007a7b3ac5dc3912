// Text from a worker becomes a message or a sentence that says what is wrong with it.

import { workerMessage } from '../../shared/protocol/control.ts';
import type { WorkerMessage } from '../../shared/protocol/control.ts';

export type Decoded = { readonly message: WorkerMessage } | { readonly error: string };

export function decodeWorkerMessage(text: string): Decoded {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { error: 'A control message must be JSON.' };
  }
  const parsed = workerMessage.safeParse(value);
  if (parsed.success) return { message: parsed.data };
  const issue = parsed.error.issues[0];
  const field = issue && issue.path.length > 0 ? `"${issue.path.join('.')}"` : 'the message';
  return {
    error: `A control message is not understood: ${field}: ${issue?.message ?? 'unknown form'}`.slice(0, 500),
  };
}
