// How an application is, in words.

import type { ToldApplication } from '../../../shared/api/servingAnswers.ts';
import { servingEn } from '../words/servingEn.ts';

export function applicationState({ status, report }: ToldApplication): string {
  const { statuses } = servingEn;
  if (status !== 'running' || !report) return statuses[status];
  if (report.deployments.some((deployment) => deployment.status === 'updating')) return statuses.updating;
  return report.isReady ? statuses.running : statuses.notReady;
}
