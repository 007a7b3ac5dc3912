// Bundles a module of the owner's with all that it imports, for workers on every platform.

import { statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SourceMapPayload } from 'node:module';
import type { Plugin } from 'rolldown';
import { nearestWord } from '../../shared/text/nearestWord.ts';
import { PROGRAM_FILE } from '../../shared/protocol/program.ts';
import { builtFile } from '../files/builtFile.ts';
import { mappedPositions, type Bundle } from './bundle.ts';
import { BundleError, ExportMissingError } from './programErrors.ts';

/** A function or class that a module exports, as Serve and mapBatches take it. */
export interface ModuleExport {
  /** Path (from the working directory) or file: address of a JavaScript or TypeScript module. */
  readonly module: string | URL;
  /** Name under which the module exports it. */
  readonly export: string;
}

/** Workers keep it in memory, tabs too. */
const MAX_BUNDLE_BYTES = 32 * 1024 * 1024;

/**
 * @param provided text of modules, by specifier, that stand for packages which the worker has itself.
 * @throws BundleError, ExportMissingError
 */
export async function bundleModule(
  { module, export: exportName }: ModuleExport,
  provided: Readonly<Record<string, string>> = {},
): Promise<Bundle> {
  const file = modulePath(module);
  const cwd = process.cwd();
  const shown = relative(cwd, file);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw new BundleError(`There is no module ${shown} (${file}).`, { file });
  }
  const problems: string[] = [];
  // Loaded when it is needed: nothing else needs the bundler.
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: file,
    cwd,
    platform: 'browser',
    plugins: [providedModules(provided), tabgradForWorkers],
    onLog: (level, { code, message }) => {
      if (level === 'warn' && (code === 'UNRESOLVED_IMPORT' || code === 'IMPORT_IS_UNDEFINED'))
        problems.push(message);
    },
  });
  try {
    const { output } = await bundle.generate({
      format: 'esm',
      dir: cwd,
      sourcemap: 'hidden',
      codeSplitting: false,
    });
    const [{ code, exports, imports, map }] = output;
    refuseImports(imports, problems, shown);
    if (!exports.includes(exportName)) throw exportMissing(exportName, exports, shown);
    const bytes = new TextEncoder().encode(`${code}//# sourceURL=${PROGRAM_FILE}\n`);
    if (bytes.byteLength > MAX_BUNDLE_BYTES) {
      throw new BundleError(
        `${shown} has ${bytes.byteLength} bytes with its imports, a program may have ${MAX_BUNDLE_BYTES}.`,
        { file },
      );
    }
    const positionOf = mappedPositions(map as unknown as SourceMapPayload, (source) => resolve(cwd, source));
    return { bytes, exportName, positionOf };
  } catch (error) {
    if (error instanceof BundleError || error instanceof ExportMissingError) throw error;
    const { message } = error as Error;
    const hint = message.includes(OWNERS_ENTRY) ? `\n${TABGRAD_ON_WORKERS}` : '';
    throw new BundleError(`${shown} can't be bundled: ${message}${hint}`, { file }, { cause: error });
  } finally {
    await bundle.close();
  }
}

function providedModules(provided: Readonly<Record<string, string>>): Plugin {
  const prefix = '\0provided:';
  return {
    name: 'provided-modules',
    resolveId: (specifier) => (Object.hasOwn(provided, specifier) ? prefix + specifier : undefined),
    load: (id) => (id.startsWith(prefix) ? provided[id.slice(prefix.length)] : undefined),
  };
}

/** Of 'tabgrad' itself workers have a part; the whole needs Node. */
const tabgradForWorkers: Plugin = {
  name: 'tabgrad-for-workers',
  resolveId: (specifier) => (specifier === 'tabgrad' ? ownersEntry() : undefined),
};

const OWNERS_ENTRY = 'owner/tabgrad.js';
const TABGRAD_ON_WORKERS =
  "Of 'tabgrad', code on workers has GBDTPredictor, TabgradError, errorCodes, resnet18 and all types (import type); " +
  'move what uses the rest to another module, or pass its results by the constructor arguments.';

function ownersEntry(): string {
  const found = builtFile(OWNERS_ENTRY);
  if (found !== undefined) return found;
  throw new BundleError(`${OWNERS_ENTRY} is not built; run \`npm run build:js\`.`);
}

function modulePath(module: string | URL): string {
  const text = String(module);
  return text.startsWith('file:') ? fileURLToPath(text) : resolve(text);
}

/** Whatever is still imported is not there on a worker. */
function refuseImports(imports: readonly string[], problems: readonly string[], shown: string): void {
  const [missing] = imports;
  if (missing === undefined && problems.length === 0) return;
  const why =
    missing !== undefined && isBuiltin(missing)
      ? `imports ${missing}, which workers in tabs don't have; use what browsers have too`
      : `imports what is not there: ${problems[0] ?? missing}`;
  throw new BundleError(`${shown} ${why}.`, { file: shown });
}

function exportMissing(name: string, exports: readonly string[], shown: string): ExportMissingError {
  const near = nearestWord(name, exports);
  const hint =
    near === undefined ? `It exports ${exports.join(', ') || 'nothing'}.` : `Did you mean "${near}"?`;
  return new ExportMissingError(`${shown} has no export "${name}". ${hint}`, { file: shown });
}
