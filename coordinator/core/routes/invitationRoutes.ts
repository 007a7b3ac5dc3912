// Over HTTP: join links for so many workers, until some time.

import { z } from 'zod';
import type { InvitationSummary } from '../../../shared/api/invitationAnswers.ts';
import { readForm } from '../../http/readJson.ts';
import type { Invitation, Invitations } from '../http/invitations.ts';
import type { Route } from '../http/route.ts';
import type { Pool } from '../pool/pool.ts';

export interface InvitationSource {
  readonly invitations: Invitations;
  readonly pool: Pool;
  /** The join link with another token. */
  readonly joinUrlOf: (token: string) => string;
}

const MAX_BODY_BYTES = 16 * 1024;
const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS;

const makeRequest = z.strictObject({
  count: z.number().int().min(1).max(100_000),
  expiresInMs: z.number().int().min(MINUTE_MS).max(YEAR_MS),
  name: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}*$/u, 'expected one line without control characters')
    .optional(),
  isTrusted: z.boolean().default(false),
});
const revokeRequest = z.strictObject({ disconnect: z.boolean().optional() });

export function invitationRoutes({ invitations, pool, joinUrlOf }: InvitationSource): Route[] {
  const route = (method: 'GET' | 'POST', path: string, handle: Route['handle']): Route => ({
    method,
    path,
    access: 'admin',
    traffic: 'api',
    handle,
  });
  const told = (
    { token, name, ...invitation }: Invitation,
    facts: Pick<InvitationSummary, 'used' | 'state'>,
  ): InvitationSummary => ({
    ...invitation,
    ...facts,
    ...(name !== undefined && { name }),
    joinUrl: joinUrlOf(token),
  });
  return [
    route('GET', '/api/v1/invitations', (exchange) =>
      exchange.json(200, {
        invitations: invitations.list().map(({ invitation, ...facts }) => told(invitation, facts)),
      }),
    ),
    route('POST', '/api/v1/invitations', async (exchange) => {
      const { name, ...terms } = await readForm(makeRequest, exchange, MAX_BODY_BYTES);
      const made = await invitations.make({ name, ...terms });
      exchange.json(201, told(made, { used: 0, state: 'open' }));
    }),
    route('POST', '/api/v1/invitations/:invitationId/revoke', async (exchange, { params }) => {
      const { disconnect = false } = await readForm(revokeRequest, exchange, MAX_BODY_BYTES);
      const { invitationId, token } = await invitations.revoke(params['invitationId'] ?? '');
      const removed = disconnect ? pool.removeOutdated('the invitation was revoked', token) : [];
      exchange.json(200, { invitationId, removed });
    }),
  ];
}
