// Tells a coordinator elsewhere how the applications of a server on this machine go.

import type { ServingReports } from '../../core/serving/servingReports.ts';
import { askCoordinator, type CoordinatorAddress } from './askCoordinator.ts';

/** The coordinator takes the server to be where the report comes from. */
export function remoteServing(address: CoordinatorAddress): ServingReports {
  const place = (name: string): string => `api/v1/applications/${encodeURIComponent(name)}`;
  return {
    async report(name, report) {
      await askCoordinator(address, place(name), { method: 'PUT', json: report });
    },
    async forget(name) {
      await askCoordinator(address, `${place(name)}/forget`, { method: 'POST', json: {} });
    },
  };
}
