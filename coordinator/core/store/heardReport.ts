// What a server told of an application, as it is kept.

import type { ServingReport } from '../../../shared/api/servingAnswers.ts';

/** A report with when and from where it came. */
export interface HeardReport {
  readonly report: ServingReport;
  /** Of the server, as the coordinator reaches it. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly heardAtMs: number;
}
