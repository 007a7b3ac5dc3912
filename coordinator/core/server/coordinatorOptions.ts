// Where a coordinator listens, what it keeps and whom it lets in: one schema for scripts and docs/options.md.

import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';
import type { Clock } from '../../../shared/clock.ts';
import type { Log } from '../../log/log.ts';
import { checkOptions } from '../../schema/checkOptions.ts';
import { isOrigin, path, wholeFrom } from '../../schema/optionWords.ts';
import { MAX_BLOB_BYTES } from '../blobs/blobStore.ts';
import type { Project } from '../project/project.ts';
import type { RunTiming } from '../run/runPlan.ts';
import type { TlsSettings } from '../tls/openTls.ts';
import { DEFAULT_TIMEOUTS } from '../http/httpServer.ts';

/** An option of a coordinator is unknown, of the wrong kind or out of range. */
class CoordinatorOptionError extends TabgradError {
  readonly code = 'COORDINATOR_ARGUMENT';
}

/** Waits until no other coordinator has the record, instead of refusing; `onStandby` is told when it has to. */
export interface Standby {
  readonly onStandby: () => void;
  readonly signal?: AbortSignal | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const ms = wholeFrom(1, DAY_MS);
const token = z.string();

/** A value that only code can give. */
function object<T extends object>(title: string) {
  return z.custom<T>((value) => typeof value === 'object' && value !== null).meta({ title });
}

export const coordinatorOptions = z.strictObject({
  port: wholeFrom(0, 65_535).default(7070).describe('0 takes any free port.'),
  host: z.string().min(1).default('127.0.0.1').describe('0.0.0.0 lets other machines in.'),
  storagePath: path
    .optional()
    .describe(
      'Folder of blobs and of the record of runs: a coordinator started again on it goes on with unfinished runs. Without it a temporary folder that is removed on close.',
    ),
  databaseUrl: z
    .string()
    .min(1)
    .optional()
    .describe('Keeps the record in this PostgreSQL database (postgres://…) instead of a file in the folder.'),
  blobsUrl: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Keeps the blobs in an S3-compatible store (s3://bucket/prefix?endpoint=…) instead of the folder.',
    ),
  standby: object<Standby>('{ onStandby, signal }')
    .optional()
    .describe(
      'Where another coordinator works on the same record: waits until that is gone, and takes over.',
    ),
  tls: object<TlsSettings>('{ certFile, keyFile } or { selfMadeIn, names }')
    .optional()
    .describe(
      'Speaks https and wss with this certificate. Without it http, which browsers give a GPU on localhost alone.',
    ),
  joinToken: token
    .optional()
    .describe(
      'Workers must have it to join. Without it one is made, and kept in the record. 1 to 256 printable ASCII characters.',
    ),
  adminToken: token
    .optional()
    .describe(
      'Needed for the API. Without it one is made, and kept in the record. Another one than joinToken.',
    ),
  project: object<Project>('{ title, description, picture, contact, link }')
    .optional()
    .describe(
      'What the page of volunteers says of the project; kept in the record. Without it what the record has.',
    ),
  trustedProxies: z
    .array(z.string())
    .max(1_000)
    .readonly()
    .default([])
    .describe(
      'Proxies whose X-Forwarded-For and X-Forwarded-Host are believed: addresses, networks, or "loopback".',
    ),
  publicUrl: z
    .string()
    .refine((text) => URL.canParse(text), 'must be like https://example.org/swarm')
    .optional()
    .describe(
      'The address under which volunteers reach the coordinator through a proxy or tunnel; may have a path.',
    ),
  allowedOrigins: z
    .array(z.string().max(2_000).refine(isOrigin, 'must be like https://example.org, without a path'))
    .max(1_000)
    .readonly()
    .default([])
    .describe('Origins of other web pages that may talk to this coordinator.'),
  ice: z
    .strictObject({
      urls: z
        .array(z.string())
        .max(64)
        .readonly()
        .describe(
          'stun:HOST[:PORT], turn:HOST[:PORT] or turns:HOST[:PORT], with ?transport=udp or tcp where wanted.',
        ),
      turnSecret: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Secret shared with the TURN server (coturn's static-auth-secret), from which each worker gets a password that expires. Needed when there are turn URLs.",
        ),
      turnLifetimeS: wholeFrom(1)
        .optional()
        .describe('Seconds that these passwords are good for. Without it a day.'),
    })
    .default({ urls: [] })
    .describe(
      'STUN and TURN servers. Without any, workers reach one another within a network, or through the relay.',
    ),
  checkWork: z
    .enum(['auto', 'always', 'never'])
    .default('auto')
    .describe(
      "Whose work in runs is checked, every round of trees before it is recorded and steps of nets by samples: strangers' (auto), the owner's too (always), or nobody's (never). What strangers predict is checked by samples in any case (docs/trust.md).",
    ),
  maxBlobBytes: wholeFrom(1, Number.MAX_SAFE_INTEGER)
    .default(MAX_BLOB_BYTES)
    .describe('Of one uploaded blob.'),
  maxWorkersPerAddress: wholeFrom(1)
    .optional()
    .describe(
      'Workers from one IPv4 address or /64 network; those of this machine are not counted. Without it 256.',
    ),
  maxUnprovenShare: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe(
      "Most of a run's rows that workers may hold together which are neither the owner's nor proven by checks of their work; a run waits while nobody else is there to hold the rest.",
    ),
  graceMs: wholeFrom(0, DAY_MS)
    .optional()
    .describe('How long the place of a worker is kept when its socket is lost.'),
  pingIntervalMs: ms.optional().describe('How often workers are asked whether they are still there.'),
  pageFolder: path.optional().describe('Folder of the pages in place of those of the package.'),
  timeouts: z
    .strictObject({
      headersMs: ms.default(DEFAULT_TIMEOUTS.headersMs).describe('For all headers of a request to arrive.'),
      requestMs: ms.default(DEFAULT_TIMEOUTS.requestMs).describe('For a whole request to arrive.'),
      idleMs: ms.default(DEFAULT_TIMEOUTS.idleMs).describe('Without a byte either way.'),
      keepAliveMs: ms.default(DEFAULT_TIMEOUTS.keepAliveMs).describe('Between two requests.'),
    })
    .optional()
    .describe('Of HTTP.'),
  runTiming: object<Partial<RunTiming>>('an object')
    .optional()
    .describe('Waits of runs, for tests: see RunTiming.'),
  clock: object<Clock>('a Clock').optional().describe('The time, for tests.'),
  log: z
    .custom<Log>((value) => typeof value === 'function')
    .meta({ title: 'a function' })
    .optional()
    .describe('Told of what happens. Without it warnings and errors go to stderr.'),
});

/** Options of startCoordinator. Times in milliseconds, sizes in bytes. */
export interface CoordinatorOptions extends Readonly<z.input<typeof coordinatorOptions>> {}

/** Where a coordinator keeps what it knows. */
export type StorageOptions = Pick<CoordinatorOptions, 'storagePath' | 'databaseUrl' | 'blobsUrl' | 'standby'>;

/** @throws CoordinatorOptionError naming the option. */
export function checkCoordinatorOptions(options: CoordinatorOptions): z.output<typeof coordinatorOptions> {
  return checkOptions(
    coordinatorOptions,
    options,
    (message, place) => new CoordinatorOptionError(message, place),
  );
}
