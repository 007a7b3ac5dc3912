// ln(1 + e^-x) from a table, the same bits on every engine and far faster than exp and log for every row.

import { deterministicExp } from '../../../kernels/fixed/deterministicExp.ts';
import { deterministicLog } from '../../../kernels/fixed/deterministicLog.ts';

const STEPS_PER_UNIT = 2048;
/** Beyond this, ln(1 + e^-x) is below 2^-46 and taken as zero. */
const REACH = 32;

let built: Float64Array | undefined;

/** ln(1 + e^(-i / 2048)) for i = 0..65537; made when it is first asked for. */
export function softplusTable(): Float64Array {
  built ??= Float64Array.from({ length: REACH * STEPS_PER_UNIT + 2 }, (_, i) =>
    logOnePlus(deterministicExp(-i / STEPS_PER_UNIT)),
  );
  return built;
}

/** Linear interpolation errs by at most (1/2048)² / 32 = 7.5e-9 (the second derivative is at most 1/4). */
export function buildSoftplus(): (x: number) => number {
  const table = softplusTable();
  const positive = (x: number): number => {
    if (x >= REACH) return 0;
    const at = x * STEPS_PER_UNIT;
    const index = Math.floor(at);
    const low = table[index]!;
    return low + (table[index + 1]! - low) * (at - index);
  };
  return (x) => (x >= 0 ? positive(x) : positive(-x) - x);
}

/** ln(1 + y) without losing small y (W. Kahan's correction). */
function logOnePlus(y: number): number {
  const sum = 1 + y;
  return sum === 1 ? y : (deterministicLog(sum) * y) / (sum - 1);
}
