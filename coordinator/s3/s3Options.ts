// How s3:// addresses are read and written.

import { z } from 'zod';

export const s3Options = z.strictObject({
  endpoint: z
    .url({ protocol: /^https?$/, error: 'expected an address like http://localhost:9000' })
    .optional()
    .describe("Another than Amazon's; AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL without it."),
  region: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe('AWS_REGION or AWS_DEFAULT_REGION without it, else us-east-1.'),
  anonymous: z
    .boolean()
    .optional()
    .describe('Does not sign, even if there are keys. s3://anonymous@bucket/… says the same.'),
  pathStyle: z
    .boolean()
    .optional()
    .describe('Bucket in the path instead of the host name; true without it where there is an endpoint.'),
  accessKeyId: z
    .string()
    .optional()
    .describe(
      'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN without it; without keys: anonymous.',
    ),
  secretAccessKey: z.string().optional(),
  sessionToken: z.string().optional(),
});

export interface S3Options extends Readonly<z.input<typeof s3Options>> {}
