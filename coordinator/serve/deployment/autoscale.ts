// How many replicas a deployment should have: a function of the load and of how long it has lasted. Ray Serve's policy.

import type { AutoscalingSettings } from '../../core/store/deploymentSettings.ts';

export interface ScaleState {
  /** Replicas that are aimed at. */
  readonly replicas: number;
  /** Since when the load has asked for more, or for fewer, without a break. */
  readonly wanting: { readonly direction: 'more' | 'fewer'; readonly sinceMs: number } | undefined;
}

/**
 * @param load mean number of requests in hand and in line since the last call.
 * @returns the state to go on with. Its `replicas` differ once the wish has lasted for the delay.
 */
export function autoscale(
  state: ScaleState,
  load: number,
  nowMs: number,
  config: AutoscalingSettings,
): ScaleState {
  const { minReplicas, maxReplicas, targetOngoingRequests } = config;
  const desired = Math.min(maxReplicas, Math.max(minReplicas, Math.ceil(load / targetOngoingRequests)));
  if (desired === state.replicas) return { replicas: state.replicas, wanting: undefined };
  const direction = desired > state.replicas ? 'more' : 'fewer';
  const sinceMs = state.wanting?.direction === direction ? state.wanting.sinceMs : nowMs;
  const delayS = direction === 'more' ? config.upscaleDelayS : config.downscaleDelayS;
  if (nowMs - sinceMs >= delayS * 1_000) return { replicas: desired, wanting: undefined };
  return { replicas: state.replicas, wanting: { direction, sinceMs } };
}
