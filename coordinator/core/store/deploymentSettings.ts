// The settings of a deployment as they are checked and recorded: Ray's options in camelCase, with Ray's defaults but for
// what may wait without end.

import { z } from 'zod';

const seconds = z.number().positive().max(86_400);
const count = z.number().int().min(1).max(1_000);

export const autoscalingConfig = z
  .strictObject({
    minReplicas: count.default(1),
    maxReplicas: count.default(1),
    /** Requests in hand and in line, by replica, that are aimed at. */
    targetOngoingRequests: z.number().positive().max(10_000).default(2),
    /** For so long more replicas must be wanted before they are started. */
    upscaleDelayS: z.number().min(0).max(86_400).default(30),
    downscaleDelayS: z.number().min(0).max(86_400).default(600),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    path: ['maxReplicas'],
    error: 'must not be below minReplicas',
  });

export const deploymentOptions = z
  .strictObject({
    /** Name within the application; the class's name by default. */
    name: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "."')
      .optional(),
    /** Runs that give the same version keep the replicas that are there; without it every run replaces them. */
    version: z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "."')
      .optional(),
    /** Where replicas run: threads beside the server, or workers of the coordinator's pool, tabs too. */
    runOn: z.enum(['threads', 'pool']).default('threads'),
    /** Which workers of the pool; any by default. */
    runtime: z.enum(['browser', 'deno', 'node']).optional(),
    device: z.enum(['cpu', 'webgpu']).optional(),
    numReplicas: count.default(1),
    maxOngoingRequests: z.number().int().min(1).max(100_000).default(5),
    /** -1 lets any number wait, as Ray's default does. */
    maxQueuedRequests: z.number().int().min(-1).max(10_000_000).default(4096),
    /** From the arrival of a request to its answer. */
    requestTimeoutS: seconds.default(60),
    /** For a replica to load its model or construct its class. */
    startTimeoutS: seconds.default(60),
    healthCheckPeriodS: seconds.default(10),
    healthCheckTimeoutS: seconds.default(30),
    gracefulShutdownTimeoutS: z.number().min(0).max(86_400).default(20),
    /** In place of numReplicas. */
    autoscalingConfig: autoscalingConfig.optional(),
  })
  .refine(({ runOn, runtime, device }) => runOn === 'pool' || (runtime ?? device) === undefined, {
    path: ['runOn'],
    error: 'runtime and device choose workers of the pool; they need runOn "pool"',
  })
  .refine((options) => options.autoscalingConfig === undefined || options.numReplicas === 1, {
    path: ['numReplicas'],
    error: 'autoscalingConfig decides on the number of replicas; leave numReplicas out',
  });

export type DeploymentOptions = Readonly<z.input<typeof deploymentOptions>>;
export type DeploymentSettings = z.output<typeof deploymentOptions>;
export type AutoscalingConfig = z.input<typeof autoscalingConfig>;
export type AutoscalingSettings = z.output<typeof autoscalingConfig>;
