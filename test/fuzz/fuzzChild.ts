// Reads damaged files one after the other in a process of its own: one that makes it abort, or go on for ever, ends it alone.

import { complaintOf, damagedFile } from './fuzzTarget.ts';
import { fuzzTargets } from './targets.ts';

const [name, first, last] = process.argv.slice(2);
const target = fuzzTargets.find((one) => one.name === name);
if (target === undefined) throw new Error(`no fuzz target "${name}"`);
const files = await target.files();
for (const bytes of files) {
  const complaint = await complaintOf(target, bytes);
  if (complaint !== undefined) throw new Error(`a valid file is not read: ${complaint}`);
}
for (let number = Number(first); number < Number(last); number++) {
  process.send?.({ number });
  const complaint = await complaintOf(target, damagedFile(target, files, number));
  if (complaint !== undefined) process.send?.({ number, complaint });
}
process.send?.({ number: Number(last) }, () => process.disconnect?.());
