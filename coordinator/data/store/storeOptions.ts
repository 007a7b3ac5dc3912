// How files are reached, on disk, over HTTP or in a bucket.

import { z } from 'zod';
import { MAX_DELAY_MS } from '../../../shared/clock.ts';
import { wholeFrom } from '../../schema/optionWords.ts';
import { s3Options } from '../../s3/s3Options.ts';

export const storeFields = {
  timeoutMs: wholeFrom(1, MAX_DELAY_MS)
    .optional()
    .describe('How long to wait for a host to begin to answer, and for each piece of it; 30,000 without it.'),
  retries: wholeFrom(0, 1000)
    .optional()
    .describe('Further attempts after a lost connection or a status 429 or 5xx; 3 without it.'),
  retryDelayMs: wholeFrom(0, MAX_DELAY_MS)
    .optional()
    .describe('Wait before the first of them, doubled for each; 200 without it.'),
  s3: s3Options.optional().describe('How s3:// addresses are read.'),
  hivePartitioning: z
    .boolean()
    .optional()
    .describe(
      "Whether folders named like year=2024 are columns, as Hive, Spark and DuckDB write them; true without it. A file's own column of that name comes first.",
    ),
};

export interface StoreOptions extends Readonly<z.input<z.ZodObject<typeof storeFields>>> {}
