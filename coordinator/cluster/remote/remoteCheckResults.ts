// Tells a coordinator elsewhere what checks of its workers' answers show.

import type { CheckResults } from '../../core/programs/checkResults.ts';
import { askCoordinator, type CoordinatorAddress } from './askCoordinator.ts';
import type { Patience } from './outage.ts';

export function remoteCheckResults(address: CoordinatorAddress, patience: Patience): CheckResults {
  const tell = async (workerId: string, what: string, json: object): Promise<void> => {
    const path = `api/v1/workers/${encodeURIComponent(workerId)}/${what}`;
    await askCoordinator(address, path, { method: 'POST', json, patience });
  };
  return {
    passed: (workerId, count) => tell(workerId, 'checks', { passed: count }),
    convict: (workerId, evidence) => tell(workerId, 'lies', evidence),
  };
}
