// What the owner of a program in another process and the coordinator say to each other, as text, before and beside the
// frames. One WebSocket a seat: the coordinator passes frames on between it and the worker's.

import { z } from 'zod';

/** Path of the sockets; the admin token is asked for. */
export const SEAT_PATH = '/api/v1/programs';

const runtime = z.enum(['browser', 'deno', 'node']);
const device = z.enum(['cpu', 'webgpu']);

const workerIds = z.array(z.string().max(128)).max(4096);

/** First message of the owner. */
export const seatRequest = z.object({
  type: z.literal('seat'),
  demand: z.object({
    name: z.string().min(1).max(300),
    runtime: runtime.optional(),
    device: device.optional(),
    ownersCode: z.boolean(),
    excluded: workerIds.optional(),
    avoided: workerIds.optional(),
  }),
});

export const seatNews = z.discriminatedUnion('type', [
  z.object({ type: z.literal('waiting'), reason: z.string().max(4000) }),
  /** Frames may come from now on. */
  z.object({
    type: z.literal('seated'),
    worker: z.object({ workerId: z.string().max(128), runtime, device }),
  }),
  z.object({ type: z.literal('leaving'), reason: z.string().max(500) }),
]);

export type SeatRequest = z.infer<typeof seatRequest>;
export type SeatNews = z.infer<typeof seatNews>;
