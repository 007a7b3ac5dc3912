// What workers may say over the signalling server: PeerJS's messages, as far as they are used, and bounded.

import { z } from 'zod';

const id = z.string().min(1).max(128);
const name = z.string().min(1).max(300);
/** A description of one data channel has some hundred characters, and a line for each address that is known by then. */
const sdp = z.string().max(32 * 1024);
const connection = { type: z.literal('data'), connectionId: id };

const signal = z.discriminatedUnion('type', [
  z.object({ type: z.literal('HEARTBEAT') }),
  z.object({
    type: z.literal('OFFER'),
    dst: id,
    payload: z.object({
      ...connection,
      sdp: z.object({ type: z.literal('offer'), sdp }),
      serialization: z.literal('raw'),
      reliable: z.boolean().optional(),
      label: name.optional(),
      metadata: z.object({ from: name, to: name, group: name }),
    }),
  }),
  z.object({
    type: z.literal('ANSWER'),
    dst: id,
    payload: z.object({ ...connection, sdp: z.object({ type: z.literal('answer'), sdp }) }),
  }),
  z.object({
    type: z.literal('CANDIDATE'),
    dst: id,
    payload: z.object({
      ...connection,
      candidate: z.object({
        candidate: z.string().max(1024),
        sdpMid: z.string().max(64).nullish(),
        sdpMLineIndex: z.number().int().nonnegative().nullish(),
        usernameFragment: z.string().max(256).nullish(),
      }),
    }),
  }),
]);

export type Signal = z.infer<typeof signal>;

/** Without anything that was not asked for. Undefined when it is none of these messages. */
export function readSignal(text: string): Signal | undefined {
  try {
    return signal.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
