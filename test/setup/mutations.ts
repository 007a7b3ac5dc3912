// Damages JSON values one place at a time: what a reader of files from outside must answer with an error of its own, or
// read without harm.

const strange: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  0.5,
  1e9,
  2 ** 31,
  -(2 ** 31),
  1e300,
  '',
  'x',
  '-1',
  '1E400',
  [],
  {},
  [[[]]],
  { toString: 1 },
  [null],
];

type Container = Record<string, unknown> | unknown[];

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** All places of a value that can be changed: container and key. */
function places(value: unknown): { readonly container: Container; readonly key: string }[] {
  if (!isContainer(value)) return [];
  return Object.keys(value).flatMap((key) => [
    { container: value, key },
    ...places((value as Record<string, unknown>)[key]),
  ]);
}

/** A copy of `value` with one to three places removed, replaced, repeated or exchanged. @param random in [0, 1). */
export function mutateJson(value: unknown, random: () => number): unknown {
  const copy: unknown = structuredClone(value);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  for (let change = 0; change < 1 + Math.floor(random() * 3); change += 1) {
    const all = places(copy);
    if (all.length === 0) break;
    const { container, key } = pick(all);
    const target = container as Record<string, unknown>;
    const kind = random();
    if (kind < 0.2) {
      if (Array.isArray(container)) container.splice(Number(key), 1);
      else delete target[key];
    } else if (kind < 0.3 && Array.isArray(container)) {
      container.splice(Number(key), 0, structuredClone(container[Number(key)]));
    } else if (kind < 0.5) {
      const other = pick(all);
      target[key] = structuredClone((other.container as Record<string, unknown>)[other.key]);
    } else target[key] = structuredClone(pick(strange));
  }
  return copy;
}

/** A copy of `text` that is cut off, or has characters removed, doubled or replaced. */
export function mutateText(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length);
  const count = 1 + Math.floor(random() * 8);
  const kind = random();
  if (kind < 0.3) return text.slice(0, at);
  if (kind < 0.5) return text.slice(0, at) + text.slice(at + count);
  if (kind < 0.7) return text.slice(0, at + count) + text.slice(at);
  const noise = '{}[]",:0-9eE.\\u0000NaNInfinity';
  return text.slice(0, at) + noise[Math.floor(random() * noise.length)]! + text.slice(at + 1);
}
