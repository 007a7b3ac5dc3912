// What a member tells of a step of a net that two others contradict one another in.

import { z } from 'zod';

/** Half of a SHA-256 of one work of a step, in hexadecimal digits; `f…f`: it is not within what devices may differ by. */
const workDigest = z.string().regex(/^[0-9a-f]{32}$/);
const rank = z.number().int().nonnegative();

/** This member has done the work again, too. */
export const stepDispute = z.object({
  what: z.enum(['gradient', 'sum']),
  /** Whose work it is, and who did it again first. */
  rank,
  by: rank,
  /** What these two say, and what this member found; zeros where it could not. */
  claimed: workDigest,
  again: workDigest,
  found: workDigest,
});
export type StepDispute = z.infer<typeof stepDispute>;
