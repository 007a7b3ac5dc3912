// Writes dist/types: the declarations that `import … from 'tabgrad'` reaches, and no others.
// `node scripts/types.mjs FOLDER` writes them there instead.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const [folder = 'dist/types'] = process.argv.slice(2);
const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const entry = join(folder, 'coordinator/index.d.ts');
const imports = /(?:\bfrom\s*|\bimport\s*\(\s*|^import\s*)(['"])([^'"]+)\1/gm;

rmSync(folder, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json', '--outDir', folder],
  { stdio: 'inherit' },
);
if (tsc.status !== 0) throw new Error(`tsc ended with code ${tsc.status}`);

const reached = new Set();
const waiting = [entry];
for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
  if (reached.has(file)) continue;
  reached.add(file);
  const text = readFileSync(file, 'utf8');
  const specifiers = [...text.matchAll(imports)].map(([, , specifier]) => specifier);
  const near = specifiers.filter((one) => one.startsWith('.'));
  waiting.push(...near.map((one) => join(dirname(file), one.replace(/\.[jt]s$/, '.d.ts'))));
  const optional = specifiers.filter((one) => Object.hasOwn(peerDependencies, one));
  if (optional.length > 0) writeFileSync(file, withOptionalImports(text, optional));
}

/** Types of a package that a user may do without are `any` there, and no error. */
function withOptionalImports(text, packages) {
  const mark = '// @ts-ignore: an optional package; without it these types are any\n';
  return text.replaceAll(/^import .*$/gm, (line) =>
    packages.some((name) => line.includes(`'${name}'`) || line.includes(`"${name}"`)) ? mark + line : line,
  );
}

for (const path of readdirSync(folder, { recursive: true })) {
  const file = join(folder, path);
  if (path.endsWith('.d.ts') && !reached.has(file)) rmSync(file);
}
// Folders that are empty now, the deepest first.
const folders = readdirSync(folder, { recursive: true }).map((path) => join(folder, path));
for (const path of folders
  .filter((path) => statSync(path).isDirectory())
  .sort()
  .reverse()) {
  if (readdirSync(path).length === 0) rmSync(path, { recursive: true });
}
