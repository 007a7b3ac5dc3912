// `npm run bench:NAME` runs test/bench/NAME.bench.ts from source and prints its tables.
import { spawn } from 'node:child_process';
import { buildWasm } from './wasm.mjs';

const [name, ...rest] = process.argv.slice(2);
await buildWasm();
const child = spawn(process.execPath, ['--import', 'tsx', `test/bench/${name}.bench.ts`, ...rest], {
  stdio: 'inherit',
});
child.on('exit', (code) => process.exit(code ?? 1));
