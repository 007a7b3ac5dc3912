// The ear of a coordinator for servers of applications, in its process and elsewhere.

import type { ServingReport } from '../../../shared/api/servingAnswers.ts';

/** Takes reports; nothing waits on what becomes of them. */
export interface ServingReports {
  /** @param host that the server listens on. */
  report(name: string, report: ServingReport, host: string): Promise<void>;
  /** The application was ended for good. */
  forget(name: string): Promise<void>;
}
