// Over HTTP: what owners of programs in other processes found when they checked workers' answers.

import { z } from 'zod';
import type { Route } from '../http/route.ts';
import { readForm } from '../../http/readJson.ts';
import type { CheckResults } from '../programs/checkResults.ts';

const MAX_BODY_BYTES = 16 * 1024;

const passedRequest = z.strictObject({ passed: z.number().int().min(1).max(1_000) });
const count = z.number().int().nonnegative();
const shown = z.string().max(1_000);
const lieRequest = z.strictObject({
  what: shown.min(1),
  runId: z.string().max(128).exactOptional(),
  round: count.exactOptional(),
  level: count.exactOptional(),
  shards: z.array(z.string().max(128)).max(100).exactOptional(),
  claimed: shown.exactOptional(),
  found: shown.exactOptional(),
});

export function checkRoutes(results: CheckResults): Route[] {
  const post = (path: string, handle: Route['handle']): Route => ({
    method: 'POST',
    path: `/api/v1/workers/:workerId/${path}`,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  return [
    post('checks', async (exchange, { params }) => {
      const workerId = params['workerId'] ?? '';
      const { passed } = await readForm(passedRequest, exchange, MAX_BODY_BYTES);
      await results.passed(workerId, passed);
      exchange.json(200, { workerId, passed });
    }),
    post('lies', async (exchange, { params }) => {
      const workerId = params['workerId'] ?? '';
      await results.convict(workerId, await readForm(lieRequest, exchange, MAX_BODY_BYTES));
      exchange.json(201, { workerId });
    }),
  ];
}
