// How long the messages of workers may be, by kind. Before a worker has joined, and while it works for no run, all that it
// has to say is short; the longest kinds are for members of a run.

import { MAX_CONTROL_MESSAGE_BYTES, type WorkerMessage } from './control.ts';

/** Longest message of who has not joined, or is no member of a run. */
export const MAX_SHORT_MESSAGE_BYTES = 64 * 1024;

const KIBIBYTE = 1024;
/** A list of all members of the largest group. */
const MEMBERS_BYTES = 1024 * KIBIBYTE;

/**
 * Longest message of each kind, in bytes. Where it is above MAX_SHORT_MESSAGE_BYTES, a message of more than that must begin
 * with its type (`{"type":"committed",…`), so that its kind is known before it is parsed.
 */
export const maxWorkerMessageBytes: Readonly<Record<WorkerMessage['type'], number>> = {
  hello: MAX_SHORT_MESSAGE_BYTES,
  available: 4 * KIBIBYTE,
  leaving: 8 * KIBIBYTE,
  prepared: 8 * KIBIBYTE,
  ready: MEMBERS_BYTES,
  loading: 4 * KIBIBYTE,
  committed: MAX_CONTROL_MESSAGE_BYTES,
  several: MAX_SHORT_MESSAGE_BYTES,
  stalled: MEMBERS_BYTES,
  saved: 4 * KIBIBYTE,
  state: 4 * KIBIBYTE,
  profiled: 4 * KIBIBYTE,
  finished: 4 * KIBIBYTE,
  checkedSteps: 4 * KIBIBYTE,
  halted: MAX_CONTROL_MESSAGE_BYTES,
  checked: MAX_CONTROL_MESSAGE_BYTES,
  failed: MAX_SHORT_MESSAGE_BYTES,
};
