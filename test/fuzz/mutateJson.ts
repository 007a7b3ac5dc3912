// Changes a tree of JSON in its parts, where changed bytes would only make it one that does not parse.

type Json = Record<string, unknown>;

/** What people's and programs' mistakes look like, and what an attacker would try. */
const strange: readonly (() => unknown)[] = [
  () => null,
  () => -1,
  () => 0,
  () => 1.5,
  () => 2 ** 31 - 1,
  () => 1e308,
  () => '',
  () => 'constructor',
  () => '__proto__',
  () => 'Sequential',
  () => 'softmax',
  () => [],
  () => ({}),
  () => [null, null, null],
  () => [[['x', 0, 0, {}]]],
  () => true,
  () => Array.from({ length: 1000 }, () => 7),
  () => JSON.parse('['.repeat(1500) + ']'.repeat(1500)) as unknown,
  () => JSON.parse('{"class_name":"Sequential","config":'.repeat(50) + '[]' + '}'.repeat(50)) as unknown,
];

function placesIn(value: unknown, found: [Json, string][] = []): [Json, string][] {
  if (typeof value !== 'object' || value === null) return found;
  for (const key of Object.keys(value)) {
    found.push([value as Json, key]);
    placesIn((value as Json)[key], found);
  }
  return found;
}

/** One to three changes of places in a tree of JSON, always the same for the same random numbers. */
export function mutateJson(model: object, random: () => number): object {
  const copy = structuredClone(model);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
  for (let change = 0; change <= Math.floor(random() * 3); change += 1) {
    const places = placesIn(copy);
    const [owner, key] = pick(places);
    const kind = random();
    if (kind < 0.2) {
      if (Array.isArray(owner)) owner.splice(Number(key), 1);
      else delete owner[key];
    } else if (kind < 0.4) {
      const [other, at] = pick(places);
      owner[key] = structuredClone(other[at]);
    } else owner[key] = pick(strange)();
  }
  return copy;
}
