// The settings of a deployment as they are checked and recorded: Ray's options in camelCase, with Ray's defaults but for
// what may wait without end.

import { deviceKinds } from '../../../kernels/deviceKinds.ts';
import { runtimes } from '../../../shared/protocol/runtimes.ts';
import { z } from 'zod';

const seconds = z.number().positive().max(86_400);
const count = z.number().int().min(1).max(1_000);

const autoscalingConfig = z
  .strictObject({
    minReplicas: count.default(1),
    maxReplicas: count.default(1),
    targetOngoingRequests: z
      .number()
      .positive()
      .max(10_000)
      .default(2)
      .describe('Requests in hand and in line, by replica, that are aimed at.'),
    upscaleDelayS: z
      .number()
      .min(0)
      .max(86_400)
      .default(30)
      .describe('Seconds that more replicas must be wanted before they are started.'),
    downscaleDelayS: z
      .number()
      .min(0)
      .max(86_400)
      .default(600)
      .describe('Seconds that fewer must be enough before some are ended.'),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    path: ['maxReplicas'],
    error: 'must not be below minReplicas',
  });

const name = z.string().regex(/^[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "."');

export const deploymentOptions = z
  .strictObject({
    name: name.optional().describe("Name within the application; the class's name without it."),
    version: name
      .optional()
      .describe(
        'Runs that give the same version keep the replicas that are there; without it every run replaces them.',
      ),
    runOn: z
      .enum(['threads', 'pool'])
      .default('threads')
      .describe(
        "Where replicas run: threads beside the server, or workers of the coordinator's pool, tabs too.",
      ),
    runtime: z.enum(runtimes).optional().describe('Which workers of the pool; any without it.'),
    device: z.enum(deviceKinds).optional().describe('Which workers of the pool; any without it.'),
    numReplicas: count.default(1).describe('Replicas that run.'),
    maxOngoingRequests: z
      .number()
      .int()
      .min(1)
      .max(100_000)
      .default(5)
      .describe('Requests that a replica has in hand at a time.'),
    maxQueuedRequests: z
      .number()
      .int()
      .min(-1)
      .max(10_000_000)
      .default(4096)
      .describe(
        "Requests that wait for a replica; more are answered 503. -1 lets any number wait, as Ray's default does.",
      ),
    requestTimeoutS: seconds.default(60).describe('Seconds from the arrival of a request to its answer.'),
    startTimeoutS: seconds
      .default(60)
      .describe('Seconds for a replica to load its model or construct its class.'),
    healthCheckPeriodS: seconds
      .default(10)
      .describe('Seconds between two questions whether a replica is well.'),
    healthCheckTimeoutS: seconds.default(30).describe('Seconds for the answer.'),
    gracefulShutdownTimeoutS: z
      .number()
      .min(0)
      .max(86_400)
      .default(20)
      .describe('Seconds for the requests in hand when a replica is ended.'),
    autoscalingConfig: autoscalingConfig.optional().describe('In place of numReplicas.'),
  })
  .refine(({ runOn, runtime }) => runOn === 'pool' || runtime === undefined, {
    path: ['runtime'],
    error: 'chooses workers of the pool; it needs runOn "pool"',
  })
  .refine(({ runOn, device }) => runOn === 'pool' || device === undefined, {
    path: ['device'],
    error: 'chooses workers of the pool; it needs runOn "pool"',
  })
  .refine((options) => options.autoscalingConfig === undefined || options.numReplicas === 1, {
    path: ['numReplicas'],
    error: 'is what autoscalingConfig decides on; leave numReplicas out',
  });

/** Options of `deployment`: replicas, queues and deadlines. Times in seconds. */
export type DeploymentOptions = Readonly<z.input<typeof deploymentOptions>>;
export type DeploymentSettings = z.output<typeof deploymentOptions>;
/** How many replicas there may be, and the load by which their number changes. Times in seconds. */
export type AutoscalingConfig = z.input<typeof autoscalingConfig>;
export type AutoscalingSettings = z.output<typeof autoscalingConfig>;
