// What a server tells of its applications.

import type { ReplicaSetStatus } from './deployment/replicaSetStatus.ts';

/** The applications of a server, by name, and the address it listens on. */
export interface ServeStatus {
  /** Undefined before anything listens. */
  readonly url: string | undefined;
  readonly applications: Readonly<
    Record<
      string,
      {
        readonly routePrefix: string;
        readonly isReady: boolean;
        readonly deployments: readonly ReplicaSetStatus[];
      }
    >
  >;
}
