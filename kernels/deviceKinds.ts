// What trees and nets are computed on. Messages, options and checks of both sides derive from this list.

export const deviceKinds = ['webgpu', 'cpu'] as const;

/** A GPU, or a processor: op by op in plain JavaScript. */
export type DeviceKind = (typeof deviceKinds)[number];
