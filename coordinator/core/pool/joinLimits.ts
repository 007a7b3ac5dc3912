// What bounds who may join by a token, beside the token itself.

import type { ErrorCode } from '../../../kernels/errors.ts';

export interface JoinRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface JoinLimits {
  /**
   * Why a worker may not join by this token, where that is so.
   * @param workerId that it has, or had and proves; undefined for one that was never seen.
   */
  refusal(joinToken: string, workerId: string | undefined): JoinRefusal | undefined;
  /** @param formerId of the same worker, which is of no use any more. */
  joined(joinToken: string, workerId: string, formerId: string | undefined): void;
}
