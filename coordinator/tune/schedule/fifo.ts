// No scheduling: every trial runs to its end.

import { z } from 'zod';
import { defineScheduler } from './scheduler.ts';

export const fifo = defineScheduler({
  name: 'fifo',
  doc: 'Every trial runs to its end.',
  needsMetric: false,
  options: z.strictObject({}),
  create: () => ({}),
});
