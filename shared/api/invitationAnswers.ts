// What the API of a coordinator tells of invitations. Other keys are left alone, so that a newer coordinator may say more.

import { z } from 'zod';

const invitation = z.looseObject({
  invitationId: z.string(),
  name: z.string().optional(),
  /** Distinct workers that may join by it. */
  count: z.number(),
  /** Workers that have. */
  used: z.number(),
  state: z.enum(['open', 'used up', 'expired']),
  /** Who joins by it is the owner's own: its work is believed. */
  isTrusted: z.boolean(),
  createdAtMs: z.number(),
  endsAtMs: z.number(),
  /** What those who are invited open. */
  joinUrl: z.string(),
});
export type InvitationSummary = z.infer<typeof invitation>;

export const invitationAnswer = invitation;
export const invitationsAnswer = z.looseObject({ invitations: z.array(invitation) });
export const revokedAnswer = z.looseObject({ invitationId: z.string(), removed: z.array(z.string()) });
