// The schedulers: one file each and one line here.

import { asha } from './asha.ts';
import { fifo } from './fifo.ts';
import { medianStopping } from './medianStopping.ts';
import { pbt } from './pbt.ts';
import type { SchedulerKind } from './scheduler.ts';

export const schedulers: readonly SchedulerKind[] = [fifo, asha, medianStopping, pbt];
