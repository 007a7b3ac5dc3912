// ln x of a float32 as the C library of Linux computes it (glibc since 2.27), by which XGBoost makes a margin of base_score.
// It may be off by 0.82 ulp: to give XGBoost's bits, its very steps are taken. See floatExp.ts.
// Algorithm and coefficients: Arm Optimized Routines, logf: x = 2^k · z, ln x = k · ln 2 - ln(1/c) + p(z/c - 1).

const QUARTIC = -0.25089342214237154;
const CUBIC = 0.333456765744066;
const SQUARE = -0.4999997485802103;
/** Bits of the lowest z. */
const LOWEST = 0x3f330000;

/** 1/c and ln c of the 16 parts that z may lie in. */
const PARTS: readonly (readonly [inverse: number, log: number])[] = [
  [1.398907162146528, -0.33569133332882284],
  [1.3403141896637998, -0.2929040563774074],
  [1.286432210124115, -0.2518726580937369],
  [1.2367150214269895, -0.21245868807117255],
  [1.1906977166711752, -0.17453945183745634],
  [1.1479821020556429, -0.1380057072319758],
  [1.1082251448272158, -0.10275976698545139],
  [1.0711297413057381, -0.06871392447020525],
  [1.036437278977283, -0.0357891387398228],
  [1, 0],
  [0.9492859795739057, 0.05204517742929496],
  [0.8951049428609004, 0.11081431298787942],
  [0.8476821620351103, 0.1652495223695143],
  [0.8050314851692001, 0.21687389031699977],
  [0.7664671008843108, 0.2659635028121397],
  [0.731428603316328, 0.3127556664073557],
];

/** @param x a float32. @returns a float32. */
export function floatLog(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return x;
  const isSubnormal = x < 2 ** -126;
  const floats = Float32Array.of(isSubnormal ? x * 2 ** 23 : x);
  const bits = new Int32Array(floats.buffer);
  const above = bits[0]! - LOWEST;
  const exponent = above >> 23;
  bits[0]! -= exponent << 23;
  const [inverse, log] = PARTS[(above >> 19) & 15]!;
  const r = floats[0]! * inverse - 1;
  const start = log + (isSubnormal ? exponent - 23 : exponent) * Math.LN2;
  const square = r * r;
  return Math.fround((QUARTIC * square + (CUBIC * r + SQUARE)) * square + (start + r)) + 0;
}
