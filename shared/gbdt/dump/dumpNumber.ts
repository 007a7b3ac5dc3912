// Numbers as XGBoost's dumps have them: nine digits, as C's "%.9g" writes them.

const DIGITS = 9;

export function dumpNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa = '', power = '0'] = rounded(value).split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < DIGITS)
    return withoutZeros(Number(`${mantissa}e${power}`).toFixed(Math.max(0, DIGITS - 1 - exponent)));
  const digits = String(Math.abs(exponent)).padStart(2, '0');
  return `${withoutZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`;
}

/** To nine digits; a float32 in the middle of two such numbers goes to the even one, where toExponential goes up. */
function rounded(value: number): string {
  const nine = value.toExponential(DIGITS - 1);
  if (!value.toExponential(DIGITS).includes('5e')) return nine;
  const exact = value.toExponential(20);
  const middle = /^(-?\d\.\d{7}[02468])50*e(.*)$/.exec(exact);
  return middle ? `${middle[1]}e${middle[2]}` : nine;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
