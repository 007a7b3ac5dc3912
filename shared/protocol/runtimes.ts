// What a worker runs on, and what it may be told to compute on. Messages, options and checks of both sides derive from
// these lists.

import { deviceKinds } from '../../kernels/deviceKinds.ts';

export const runtimes = ['node', 'deno', 'browser'] as const;
export type Runtime = (typeof runtimes)[number];

/** `auto` takes WebGPU where a real GPU is there. */
export const deviceWishes = ['auto', ...deviceKinds] as const;
export type DeviceWish = (typeof deviceWishes)[number];

/** Most threads of the processor that a worker computes with. */
export const MAX_THREADS = 256;

/** Name of the function in a launched tab that takes a LaunchReport. Stands here since the page's first load has no schemas. */
export const LAUNCH_REPORT_FUNCTION = 'tabgradLaunchReport';
