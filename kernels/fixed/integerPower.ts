/** baseⁿ of a whole n ≥ 0, by products in a fixed order: the same bits in every engine, which `**` does not promise. */
export function integerPower(base: number, n: number): number {
  let [result, factor] = [1, base];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= factor;
    factor *= factor;
  }
  return result;
}
