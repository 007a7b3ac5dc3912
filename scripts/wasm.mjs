// Compiles the kernels of kernels/wasm/assembly to WebAssembly, as TypeScript that bundles carry: kernels/wasm/built, which is
// not in git. Modules whose sources have not changed are left alone. `node scripts/wasm.mjs` does it by hand.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = `${root}kernels/wasm/assembly`;
const built = `${root}kernels/wasm/built`;

/** Name of a module, which is that of its folder. */
const modules = ['neural', 'trees'];

/** Without relaxed SIMD: results are the same on all processors. */
const flags =
  '-O3 --noAssert --runtime stub --importMemory --noExportMemory --sharedMemory --initialMemory 1 --maximumMemory 65536 ' +
  '--enable simd --enable threads --disable relaxed-simd';

function fingerprint() {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)));
  const files = readdirSync(sources, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.ts')).toSorted((a, b) => (a < b ? -1 : 1)))
    hash.update(file).update(readFileSync(`${sources}/${file}`));
  return hash.digest('hex');
}

/** LEB128. @returns the number and where the next byte is. */
function readNumber(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at];
    at += 1;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

/** Where the flags of the imported memory's limits are: 3 is shared with a maximum, 1 has a maximum alone. */
function memoryFlagsAt(bytes) {
  for (let at = 8; at < bytes.length;) {
    const section = bytes[at];
    const [size, content] = readNumber(bytes, at + 1);
    if (section !== 2) {
      at = content + size;
      continue;
    }
    let [count, next] = readNumber(bytes, content);
    for (; count > 0; count -= 1) {
      for (let name = 0; name < 2; name += 1) {
        const [length, start] = readNumber(bytes, next);
        next = start + length;
      }
      if (bytes[next] === 2 && bytes[next + 1] === 3) return next + 1;
      throw new Error('The first import is not a shared memory.');
    }
  }
  throw new Error('The module imports no memory.');
}

async function compile(name, digest) {
  const { main } = await import('assemblyscript/asc');
  let binary;
  const messages = [];
  const { error } = await main([`${name}/index.ts`, '--outFile', 'module.wasm', ...flags.split(' ')], {
    readFile: (file) => {
      const path = `${sources}/${file}`;
      return existsSync(path) ? readFileSync(path, 'utf8') : null;
    },
    writeFile: (_, contents) => (binary = contents),
    listFiles: () => [],
    stderr: { write: (text) => messages.push(text) },
  });
  if (error || messages.length > 0)
    throw new Error(`kernels/wasm/assembly/${name} does not compile.\n${messages.join('')}`);
  const text =
    `// Compiled by scripts/wasm.mjs from kernels/wasm/assembly/${name}. Sources: ${digest}\n` +
    `export const ${name}Module = {\n` +
    `  base64: '${Buffer.from(binary).toString('base64')}',\n` +
    `  memoryFlagsAt: ${memoryFlagsAt(binary)},\n};\n`;
  mkdirSync(built, { recursive: true });
  // Whole or not at all, also where several builds run side by side.
  const fresh = `${built}/${name}.${process.pid}.tmp`;
  writeFileSync(fresh, text);
  renameSync(fresh, `${built}/${name}.ts`);
}

/** Makes the modules whose sources have changed. */
export async function buildWasm() {
  const digest = fingerprint();
  for (const name of modules) {
    const file = `${built}/${name}.ts`;
    if (existsSync(file) && readFileSync(file, 'utf8').slice(0, 300).includes(digest)) continue;
    await compile(name, digest);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWasm();
