// How files are read, as a config file says it: the options that readParquet, readCsv, readJson and readArrow have in common,
// and those of Parquet.

import { z } from 'zod';
import { textTypes, type TextType } from '../data/text/inferTextType.ts';

const textType = z.enum(Object.keys(textTypes) as [TextType, ...TextType[]]);
const whole = (min: number, max: number) => z.number().int().min(min).max(max);

export const columnTypes = z
  .record(z.string().min(1).max(512), textType)
  .exactOptional()
  .describe('Types of columns that the first rows would not tell rightly.');

export const jsonSection = z.strictObject({ types: columnTypes }).describe('How JSON files are read.');

export const readSection = z
  .strictObject({
    unionByName: z
      .boolean()
      .exactOptional()
      .describe(
        'Reads files whose columns differ: all columns of all files, missing where a file has none. Without it that is an error.',
      ),
    hivePartitioning: z
      .boolean()
      .exactOptional()
      .describe('Whether folders named like year=2024 are columns; true without it.'),
    binaryAsString: z
      .boolean()
      .exactOptional()
      .describe('Parquet: byte strings without a logical type are text, as Impala and old Hive write it.'),
    memoryLimitBytes: whole(1, Number.MAX_SAFE_INTEGER)
      .exactOptional()
      .describe(
        'Parquet: what the pages of one row group may take unpacked. Without it 256 MiB, or 32 times what is stored of it.',
      ),
    batchRows: whole(1, 2 ** 31 - 1)
      .exactOptional()
      .describe('Rows of a batch at most, of Parquet, CSV and JSON; 65,536 without it.'),
    timeoutMs: whole(1, 2 ** 31 - 1)
      .exactOptional()
      .describe(
        'How long to wait for a host to begin to answer, and for each piece of it; 30,000 without it.',
      ),
    retries: whole(0, 1000)
      .exactOptional()
      .describe('Further attempts after a lost connection or a status 429 or 5xx; 3 without it.'),
    retryDelayMs: whole(0, 2 ** 31 - 1)
      .exactOptional()
      .describe('Wait before the first of them, doubled for each; 200 without it.'),
    s3: z
      .strictObject({
        endpoint: z
          .url({ protocol: /^https?$/ })
          .exactOptional()
          .describe("Another than Amazon's; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL without it."),
        region: z
          .string()
          .min(1)
          .max(100)
          .exactOptional()
          .describe('AWS_REGION or AWS_DEFAULT_REGION without it, else us-east-1.'),
        anonymous: z.boolean().exactOptional().describe('Does not sign, even if there are keys.'),
        pathStyle: z
          .boolean()
          .exactOptional()
          .describe(
            'Bucket in the path instead of the host name; true without it where there is an endpoint.',
          ),
      })
      .exactOptional()
      .describe('How s3:// addresses are read. Keys come from the environment alone.'),
  })
  .describe('How files are read.');
