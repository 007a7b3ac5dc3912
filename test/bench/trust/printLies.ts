// How soon lies are named, over seeds: members of four lie in one round of twenty, at another one each time.

import { seededRandom } from '../../setup/seededRandom.ts';
import { lies, type Lie } from '../../simulation/strangers/dishonest.ts';
import { runStrangers, type Strangers } from '../../simulation/strangers/strangerSwarm.ts';

const ROUNDS = 40;
const EVERY = 20;
const MEMBERS = 4;

export async function printLies(seeds: number): Promise<void> {
  const honest = await runStrangers({ members: MEMBERS, rounds: ROUNDS, shards: 8 });
  console.log(`\nOne of ${MEMBERS} members lies once in ${EVERY} rounds; ${seeds} seeds, ${ROUNDS} rounds`);
  console.log('  named  rounds made after the lie, median and p99   model equal  honest ones named   it…');
  for (const lie of Object.keys(lies) as Lie[]) {
    const found: number[] = [];
    let equal = 0;
    let accused = 0;
    for (let seed = 0; seed < seeds; seed += 1) {
      const random = seededRandom(seed);
      const first = Math.floor(random() * EVERY);
      const place = Math.floor(random() * MEMBERS);
      const when = (round: number): boolean => round % EVERY === first;
      const run = await runStrangers({
        members: MEMBERS,
        rounds: ROUNDS,
        shards: 8,
        liars: { [place]: { lie, lies: when } },
      });
      const liar = run.workerIds[place]!;
      const delay = roundsUntilNamed(run, liar, first);
      if (delay !== undefined) found.push(delay);
      if (run.model === honest.model) equal += 1;
      accused += [...run.convicted.keys()].filter((workerId) => workerId !== liar).length;
    }
    found.sort((a, b) => a - b);
    const at = (share: number): string =>
      String(found[Math.min(found.length - 1, Math.floor(found.length * share))] ?? '-');
    console.log(
      `  ${`${found.length}/${seeds}`.padEnd(7)}${at(0.5).padStart(14)} ${at(0.99).padStart(8)} ${`${equal}/${seeds}`.padStart(28)} ${String(accused).padStart(12)}   ${lie}`,
    );
  }
  await printMany(honest);
}

/** Rounds that the group had made, from the lie on, when it was named; undefined where it was not. */
function roundsUntilNamed(
  { convicted, lost, madeWhenLost }: Strangers,
  liar: string,
  first: number,
): number | undefined {
  if (!convicted.has(liar) && !lost.has(liar)) return undefined;
  return Math.max(0, (madeWhenLost.get(liar) ?? first) - first);
}

async function printMany(honest: Strangers): Promise<void> {
  const names = [
    'adds one to a cell of its histograms',
    'sums its part wrongly',
    'never adds a tree to half of its rows',
  ] as const;
  const liars = Object.fromEntries(
    Array.from({ length: 7 }, (_, i) => [
      2 * i + 1,
      { lie: names[i % names.length]!, lies: (round: number) => round % EVERY === 2 * i },
    ]),
  );
  const run = await runStrangers({ members: 16, rounds: ROUNDS, shards: 16, liars });
  const alike = await runStrangers({ members: 3, rounds: ROUNDS, shards: 16 });
  const isEqual = run.model === alike.model && honest.model !== '';
  console.log(
    `\n7 liars of 16 members: ${run.convicted.size} named, model ${isEqual ? 'equal to' : 'other than'} the honest one`,
  );
}
