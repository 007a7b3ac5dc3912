// What a server of applications tells a coordinator, and what the coordinator tells of it: replicas, requests, latencies and
// queues. Nothing of what is asked or answered.

import { z } from 'zod';

/** Upper bounds of the latency histogram, in seconds; one more bucket is for what takes longer. */
export const latencyBoundsS: readonly number[] = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60,
];
export const MAX_TOLD_FIELDS = 300;
export const MAX_TOLD_CHOICES = 50;
export const MAX_TOLD_REPLICAS = 200;

const text = (most: number): z.ZodString => z.string().max(most);
const name = z.string().regex(/^[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "."');
const count = z.number().int().nonnegative();

const modelField = z.strictObject({
  name: text(200),
  kind: z.enum(['number', 'integer', 'category', 'tensor']),
  /** The first categories of it, where the model keeps them. */
  choices: z.array(text(200)).max(MAX_TOLD_CHOICES).exactOptional(),
  /** Of a tensor, without the rows. */
  shape: z.array(z.number().int().min(-1)).max(16).exactOptional(),
});
export type ModelField = z.output<typeof modelField>;

const replica = z.strictObject({
  id: text(200),
  version: name.exactOptional(),
  /** Of the revision that is being rolled to, or that all are of. */
  isCurrent: z.boolean(),
  state: z.enum(['starting', 'running', 'stopping']),
  /** Worker of the pool that it runs on; without it beside the server. */
  workerId: text(200).exactOptional(),
  ongoing: count,
  /** Calls that it has answered. */
  answered: count,
});
export type ToldReplica = z.output<typeof replica>;

const toldDeployment = z.strictObject({
  name: text(200),
  version: name.exactOptional(),
  status: z.enum(['running', 'updating', 'unhealthy', 'stopping']),
  target: count,
  ongoing: count,
  queued: count,
  restarts: count,
  retries: count,
  overloads: count,
  timeouts: count,
  message: text(1_000),
  replicas: z.array(replica).max(MAX_TOLD_REPLICAS),
});
export type ToldDeployment = z.output<typeof toldDeployment>;

/** An application as its server sees it at a time. Counters begin with the server. */
export const servingReport = z.strictObject({
  /** Another one counts from 0. */
  serverId: z.uuid(),
  status: z.enum(['running', 'stopped']),
  /** Where callers reach it. */
  url: z.url({ protocol: /^https?$/ }).max(2_000),
  /** Where the server listens on its own machine. */
  port: z.number().int().min(1).max(65_535),
  /** With the authority of its own making, in PEM, if it has one. */
  tls: z.strictObject({ authority: text(20_000).exactOptional() }).exactOptional(),
  hasKey: z.boolean(),
  routePrefix: z
    .string()
    .max(500)
    .regex(/^\/[\w./~-]*$/, 'expected a path'),
  modelName: name,
  version: name,
  isReady: z.boolean(),
  /** Undefined where the application is the owner's own class. */
  model: z
    .strictObject({
      summary: text(500),
      /** Of a row: the first ones, where there are many. */
      fields: z.array(modelField).max(MAX_TOLD_FIELDS),
      fieldCount: count,
    })
    .exactOptional(),
  /** Requests by the status that they were answered with. */
  byStatus: z
    .record(z.string().regex(/^\d{3}$/), count)
    .refine((counts) => Object.keys(counts).length <= 100, 'has more than 100 statuses'),
  /** Requests by how long they took, in the buckets of `latencyBoundsS`. */
  latencies: z.array(count).length(latencyBoundsS.length + 1),
  deployments: z.array(toldDeployment).max(64),
});
export type ServingReport = z.output<typeof servingReport>;

export const applicationNameForm = name;

const quantiles = z.looseObject({ p50Ms: z.number(), p95Ms: z.number(), p99Ms: z.number() });
export type LatencyQuantiles = z.infer<typeof quantiles>;

/** What happened in a few seconds. */
const servingPoint = z.looseObject({
  /** When they began, in milliseconds since 1970. */
  atMs: z.number(),
  requests: z.number(),
  /** Of those, answered with 500 and above, or 429. */
  errors: z.number(),
  /** Absent where nothing was asked. */
  latency: quantiles.optional(),
  /** Most requests in line, and in hand, that were reported. */
  queued: z.number(),
  ongoing: z.number(),
});
export type ServingPoint = z.infer<typeof servingPoint>;

const toldApplication = z.looseObject({
  name: z.string(),
  routePrefix: z.string(),
  /** "silent" was not heard for a while: its process may be gone. */
  status: z.enum(['running', 'silent', 'stopped', 'failed']),
  message: z.string(),
  heardAtMs: z.number().optional(),
  /** Undefined for one that was recorded and never told of. */
  report: z.looseObject(servingReport.shape).optional(),
  /** Of the last five minutes. */
  recent: z.looseObject({
    seconds: z.number(),
    requests: z.number(),
    errors: z.number(),
    latency: quantiles.optional(),
  }),
});
export type ToldApplication = z.infer<typeof toldApplication>;

export const applicationsAnswer = z.looseObject({ applications: z.array(toldApplication) });
export type ApplicationsAnswer = z.infer<typeof applicationsAnswer>;

export const applicationAnswer = z.looseObject({
  ...toldApplication.shape,
  /** Seconds of a point. */
  pointSeconds: z.number(),
  /** Of the last hour, the oldest first; seconds in which nothing was told have none. */
  points: z.array(servingPoint),
});
export type ApplicationAnswer = z.infer<typeof applicationAnswer>;

export const exampleAnswer = z.looseObject({
  /** A row of a dataset that has all fields of the model, where one is known. */
  example: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).optional(),
});
export type ExampleAnswer = z.infer<typeof exampleAnswer>;

/** A request to an application that the coordinator passes on. */
export const tryRequest = z.strictObject({
  /** What is posted, as it is. */
  body: z.string().max(256 * 1024),
  /** The application's API key; it is passed on and not kept. */
  key: z
    .string()
    .max(1_000)
    .regex(/^[\x21-\x7e]+$/, 'expected visible ASCII characters')
    .exactOptional(),
});

export const tryAnswer = z.looseObject({
  status: z.number(),
  durationMs: z.number(),
  contentType: z.string(),
  body: z.string(),
});
export type TryAnswer = z.infer<typeof tryAnswer>;
