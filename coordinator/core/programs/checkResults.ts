// Where it is told what checks of workers' answers show: the coordinator's pool keeps it, in this process or another.

import type { LieEvidence } from '../pool/lieEvidence.ts';
import type { Pool } from '../pool/pool.ts';

export interface CheckResults {
  /** Checks of a worker's answers came out right. */
  passed(workerId: string, count: number): Promise<void>;
  /** A worker lied: it is sent away and banned. */
  convict(workerId: string, evidence: LieEvidence): Promise<void>;
}

export function poolCheckResults(pool: Pick<Pool, 'convict' | 'passCheck'>): CheckResults {
  return {
    passed: async (workerId, count) => pool.passCheck(workerId, count),
    convict: async (workerId, evidence) => pool.convict(workerId, evidence),
  };
}
