// What a worker tells the process that launched it, one JSON object a line on its standard output (a tab calls a function that
// the launcher has put into the page). Only workers that were launched by a tabgrad process do this.

import { z } from 'zod';
import { deviceReport } from './control.ts';

export const launchReport = z.discriminatedUnion('event', [
  z.object({ event: z.literal('joined'), workerId: z.string().max(128), device: deviceReport }),
  z.object({
    event: z.literal('ended'),
    kind: z.enum(['left', 'sentAway', 'refused']),
    reason: z.string().max(4000),
  }),
]);

export type LaunchReport = z.infer<typeof launchReport>;
/** As the value of a worker's --token: the token is the first line of its standard input. */
export const TOKEN_FROM_INPUT = '-';
