// What the owner of a program in another process and the coordinator say to each other, as text, before and beside the
// frames. One WebSocket a slot: the coordinator passes frames on between it and the worker's.

import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { z } from 'zod';

/** Path of the sockets; the admin token is asked for. */
export const SLOT_PATH = '/api/v1/programs';

const runtime = z.enum(runtimes);
const device = z.enum(deviceKinds);

const workerIds = z.array(z.string().max(128)).max(4096);

/** First message of the owner. */
export const slotRequest = z.object({
  type: z.literal('slot'),
  demand: z.object({
    name: z.string().min(1).max(300),
    runtime: runtime.optional(),
    device: device.optional(),
    ownersCode: z.boolean(),
    excluded: workerIds.optional(),
    avoided: workerIds.optional(),
  }),
});

export const slotNews = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting'), reason: z.string().max(4000) }),
  /** Frames may come from now on. */
  z.object({
    type: z.literal('placed'),
    worker: z.object({
      workerId: z.string().max(128),
      runtime,
      device,
      isOwners: z.boolean(),
      checksPassed: z.number().int().nonnegative(),
    }),
  }),
  z.object({ type: z.literal('leaving'), reason: z.string().max(500) }),
]);

export type SlotRequest = z.infer<typeof slotRequest>;
export type SlotNews = z.infer<typeof slotNews>;
