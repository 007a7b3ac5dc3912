// Over HTTP: sending workers away, bans, and new tokens.

import { z } from 'zod';
import type { Moderation } from '../http/moderation.ts';
import { readForm } from '../../http/readJson.ts';
import type { Route } from '../http/route.ts';

const MAX_BODY_BYTES = 16 * 1024;

const reason = z.string().min(1).max(300).optional();
const removeRequest = z.strictObject({ reason, ban: z.enum(['worker', 'address']).optional() });
const banRequest = z.strictObject({ reason, address: z.string().min(1).max(100) });
const liftRequest = z.strictObject({ value: z.string().min(1).max(128) });
const emptyRequest = z.strictObject({});
const rotateRequest = z.strictObject({ disconnect: z.boolean().optional() });

export function moderationRoutes(moderation: Moderation, joinUrl: () => string): Route[] {
  const post = (path: string, handle: Route['handle']): Route => ({
    method: 'POST',
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  return [
    post('/api/v1/workers/:workerId/remove', async (exchange, { params }) => {
      const options = await readForm(removeRequest, exchange, MAX_BODY_BYTES);
      exchange.json(200, await moderation.remove(params['workerId'] ?? '', options));
    }),
    ...(['drain', 'undrain'] as const).map((action) =>
      post(`/api/v1/workers/:workerId/${action}`, async (exchange, { params }) => {
        await readForm(emptyRequest, exchange, MAX_BODY_BYTES);
        const workerId = params['workerId'] ?? '';
        moderation.drain(workerId, action === 'drain');
        exchange.json(200, { workerId, drained: action === 'drain' });
      }),
    ),
    {
      ...post('/api/v1/bans', (exchange) => exchange.json(200, { bans: moderation.bans() })),
      method: 'GET',
    },
    post('/api/v1/bans', async (exchange) => {
      const { address, reason } = await readForm(banRequest, exchange, MAX_BODY_BYTES);
      exchange.json(201, await moderation.banAddress(address, reason));
    }),
    post('/api/v1/bans/lift', async (exchange) => {
      const { value } = await readForm(liftRequest, exchange, MAX_BODY_BYTES);
      exchange.json(200, await moderation.lift(value));
    }),
    ...(['admin', 'join'] as const).map((kind) =>
      post(`/api/v1/tokens/${kind}`, async (exchange) => {
        const { disconnect } = await readForm(rotateRequest, exchange, MAX_BODY_BYTES);
        const { token, removed } = await moderation.rotate(kind, disconnect);
        exchange.json(200, { kind, token, removed, ...(kind === 'join' && { joinUrl: joinUrl() }) });
      }),
    ),
  ];
}
