// The record of a coordinator in another process, over its HTTP API.

import { askCoordinator, type CoordinatorAddress } from './askCoordinator.ts';
import type { ExperimentRecord } from '../../core/store/experimentRecord.ts';

export function remoteRecord(address: CoordinatorAddress): ExperimentRecord {
  return {
    async save(experimentId, update) {
      await askCoordinator(address, `api/v1/experiments/${experimentId}`, { method: 'PUT', json: update });
    },
  };
}
