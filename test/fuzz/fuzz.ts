// `npm run test:fuzz -- [TARGET …] [--count 10000] [--first 1]`: reads thousands of damaged files of each format. Fails for
// one that ends the process, takes longer than a minute, or is refused without a code; says which, so that it can be run again
// alone: `--first NUMBER --count 1`.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fuzzTargets } from './targets.ts';

const FILE_DEADLINE_MS = 60_000;
const HEAP_MB = 768;
const SHOWN_COMPLAINTS = 20;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: 'string', default: '10000' }, first: { type: 'string', default: '1' } },
});
const first = Number(values.first);
const last = first + Number(values.count);
if (!Number.isInteger(first) || !(last > first)) throw new Error('--first and --count are whole numbers');

interface Report {
  readonly number: number;
  readonly complaint?: string;
}

/** Reads files from `from` on. @returns the number to go on with, after one that ended the process or stopped it. */
function readFiles(name: string, from: number, complain: (report: Report) => void): Promise<number> {
  return new Promise((resolve) => {
    const child = fork(
      fileURLToPath(new URL('fuzzChild.ts', import.meta.url)),
      [name, String(from), String(last)],
      {
        execArgv: ['--import', 'tsx', `--max-old-space-size=${HEAP_MB}`],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      },
    );
    let at = from;
    let stderr = '';
    let isLate = false;
    const late = (): void => {
      isLate = true;
      child.kill('SIGKILL');
    };
    let timer = setTimeout(late, FILE_DEADLINE_MS);
    child.stderr?.on('data', (text: Buffer) => (stderr = (stderr + text.toString()).slice(-2000)));
    child.on('message', (report: Report) => {
      clearTimeout(timer);
      timer = setTimeout(late, FILE_DEADLINE_MS);
      at = report.number;
      if (report.complaint !== undefined) complain(report);
    });
    // Its last messages may come after its end.
    const told = new Promise<void>((done) => child.once('disconnect', done));
    const ended = new Promise<string | number | null>((done) => {
      child.once('close', (code, signal) => done(code ?? signal));
    });
    void Promise.all([ended, told]).then(([code]) => {
      clearTimeout(timer);
      if (at === last && code === 0) return resolve(last);
      const how = isLate ? `no answer in ${FILE_DEADLINE_MS / 1000} s` : `the process ended with ${code}`;
      complain({ number: at, complaint: `${how}\n${stderr}` });
      resolve(at + 1);
    });
  });
}

const chosen = positionals.length === 0 ? fuzzTargets.map(({ name }) => name) : positionals;
let failures = 0;
for (const name of chosen) {
  const started = performance.now();
  const complaints: Report[] = [];
  for (let at = first; at < last && complaints.length < SHOWN_COMPLAINTS;) {
    at = await readFiles(name, at, (report) => complaints.push(report));
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `${name}: ${last - first} damaged files from ${first} on, ${complaints.length} wrongly taken, ${seconds} s`,
  );
  for (const { number, complaint } of complaints.slice(0, SHOWN_COMPLAINTS))
    console.log(`  ${number}: ${complaint}`);
  failures += complaints.length;
}
process.exit(failures === 0 ? 0 : 1);
