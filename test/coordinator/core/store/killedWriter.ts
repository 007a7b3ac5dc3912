// A process that, once told to, writes to a record until it is killed, and says after each write what it was promised to
// be there: run id, rounds, events, status, a line each. Arguments: folder, run id, seed, address of a database or nothing.

import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { endFacts } from '../../../../coordinator/core/run/facts.ts';
import { RunLog } from '../../../../coordinator/core/run/runLog.ts';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';
import { requestOf, roundEvent, roundFact } from './storeFacts.ts';

const [folder = '', runId = '', seed = '0', databaseUrl = ''] = process.argv.slice(2);
const random = seededRandom(Number(seed));
await once(process.stdin, 'data');
const store = await openStore({
  folder,
  durable: true,
  ...(databaseUrl !== '' && { databaseUrl }),
  onError: () => undefined,
});
const say = (line: string): void => void writeSync(1, `${line}\n`);
say('ready');

for (let run = 0; ; run += 1) {
  const log = new RunLog(store.runs, `${runId}.${run}`);
  await log.write([{ type: 'started', request: requestOf(log.runId) }]);
  say(`${log.runId} 0 0 running`);
  const writes = 1 + Math.floor(random() * 40);
  let [rounds, events] = [0, 0];
  for (let write = 0; write < writes; write += 1) {
    const facts = Array.from({ length: 1 + Math.floor(random() * 4) }, () =>
      random() < 0.5 ? roundFact(rounds++) : roundEvent(events++),
    );
    await log.write(facts);
    say(`${log.runId} ${rounds} ${events} running`);
  }
  await log.write(endFacts({ status: 'finished', rounds: [] }));
  say(`${log.runId} ${rounds} ${events + 1} finished`);
}
