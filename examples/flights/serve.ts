// The model of train.ts behind an HTTP port: two replicas in threads of their own, asked once, as any program would ask.
// Run it from the repository's root with `npx tsx examples/flights/serve.ts`, after train.ts or `npm start`; in a project
// of your own the import is from 'tabgrad'.

import '../reportErrors.ts';
import { readdirSync } from 'node:fs';
import { Checkpoint, deployment, Serve } from '../../coordinator/index.ts';

const folder = process.env['TABGRAD_CHECKPOINTS'] ?? 'results/flights/checkpoints';
const last = readdirSync(folder).reduce((a, b) => (Number(a) > Number(b) ? a : b));

const flights = deployment(Checkpoint.fromDirectory(`${folder}/${last}`), {
  name: 'flights',
  numReplicas: 2,
});
const serve = new Serve();
await serve.run(flights, { name: 'flights', port: Number(process.env['TABGRAD_SERVE_PORT'] ?? 8000) });

const rows = [
  { hour: 7, weekday: 1, day_of_year: 30, distance: 480, origin: 'SFO', destination: 'LAX' },
  { hour: 21, weekday: 5, day_of_year: 180, distance: 480, origin: 'ORD', destination: 'LGA' },
];
const response = await fetch(serve.url!, { method: 'POST', body: JSON.stringify(rows) });
console.log(await response.json());

process.once('SIGINT', () => void serve.shutdown());
process.once('SIGTERM', () => void serve.shutdown());
console.log(`Post rows to ${serve.url}; ${serve.url}/openapi.json describes them. Ctrl-C ends it.`);
