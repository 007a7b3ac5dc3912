// Reads a config file of any of its formats into a plain value. Nothing is checked here but that it parses.

import { open } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { LineCounter, parseDocument } from 'yaml';
import { beyondShape, type JsonShape } from '../../shared/text/jsonShape.ts';
import { ConfigSyntaxError, ConfigUnreadableError } from './expression/configErrors.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Its parser compares every key with all others. */
const MAX_YAML_BYTES = 256 * 1024;
/** The topology of a net is the deepest, and lists of columns are the longest. */
const SHAPE: JsonShape = { maxDepth: 100, maxKeys: 10_000, maxContainers: 1 << 18 };

/** Readers by file ending. `shown` is the path as the user wrote it. */
const readers: Readonly<Record<string, (path: string, shown: string) => Promise<unknown>>> = {
  '.json': readJson,
  '.yaml': readYaml,
  '.yml': readYaml,
  '.ts': readModule,
  '.mts': readModule,
  '.js': readModule,
  '.mjs': readModule,
};

/**
 * @throws ConfigUnreadableError when the file is missing, unreadable or of an unknown ending;
 * ConfigSyntaxError with line and column when it does not parse.
 */
export async function readConfigFile(file: string, cwd: string): Promise<unknown> {
  const reader = readers[extname(file).toLowerCase()];
  if (reader === undefined)
    throw new ConfigUnreadableError(
      `The config file ${file} must end with one of ${Object.keys(readers).join(', ')}.`,
      { file },
    );
  return reader(resolve(cwd, file), file);
}

async function readText(path: string, shown: string, maxBytes = MAX_CONFIG_BYTES): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readAtMost(path, maxBytes + 1);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `can not be read (${code})`;
    throw new ConfigUnreadableError(`The config file ${shown} ${reason}.`, { file: shown }, { cause: error });
  }
  if (bytes.length > maxBytes) {
    const hint = maxBytes < MAX_CONFIG_BYTES ? '; JSON may have more' : '';
    throw new ConfigUnreadableError(`The config file ${shown} is longer than ${maxBytes} bytes${hint}.`, {
      file: shown,
    });
  }
  return bytes.toString('utf8');
}

/** What a path leads to need not be a file, nor have an end. */
async function readAtMost(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const pieces: Buffer[] = [];
    for (let left = maxBytes; left > 0;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(left, 64 * 1024)));
      if (bytesRead === 0) break;
      pieces.push(buffer.subarray(0, bytesRead));
      left -= bytesRead;
    }
    return Buffer.concat(pieces);
  } finally {
    await file.close();
  }
}

function tooComplex(shown: string, what: string): ConfigSyntaxError {
  return new ConfigSyntaxError(`The config file ${shown} is too complex: ${what}`, { file: shown });
}

async function readJson(path: string, shown: string): Promise<unknown> {
  const text = await readText(path, shown);
  const beyond = beyondShape(text, SHAPE);
  if (beyond !== undefined) throw tooComplex(shown, beyond);
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message;
    const position = /at position (\d+)/.exec(reason)?.[1];
    const place = position === undefined ? '' : ` at ${lineAndColumn(text, Number(position))}`;
    const short = reason
      .replace(/,? ?(\.\.\.)?["'].* is not valid JSON|in JSON at position.*| at position.*/s, '')
      .trim();
    throw new ConfigSyntaxError(
      `The config file ${shown} is no valid JSON${place}: ${short === '' ? reason : short}.`,
      { file: shown },
      { cause: error },
    );
  }
}

async function readYaml(path: string, shown: string): Promise<unknown> {
  const text = await readText(path, shown, MAX_YAML_BYTES);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    const place = line === 0 ? '' : ` at line ${line}, column ${col}`;
    const isTooDeep = error.message.includes('call stack');
    const short = isTooDeep ? 'it is nested too deeply' : error.message.split('\n')[0]?.slice(0, 500);
    throw new ConfigSyntaxError(
      `The config file ${shown} is no valid YAML${place}: ${short}.`,
      { file: shown },
      { cause: error },
    );
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigSyntaxError(
      `The config file ${shown} is no valid YAML: ${(cause as Error).message}.`,
      { file: shown },
      { cause },
    );
  }
  const beyond = beyondShape(withoutCycles(value, shown), SHAPE);
  if (beyond !== undefined) throw tooComplex(shown, beyond);
  return value;
}

/** @returns the value as JSON. An alias may stand within its own anchor. */
function withoutCycles(value: unknown, shown: string): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    throw tooComplex(shown, 'an alias stands within its own anchor.');
  }
}

async function readModule(path: string, shown: string): Promise<unknown> {
  await readText(path, shown);
  let module: Record<string, unknown>;
  try {
    // jiti understands TypeScript on every supported Node and needs no build step; nothing is cached on disk.
    const jiti = createJiti(pathToFileURL(path).href, {
      fsCache: false,
      moduleCache: false,
      interopDefault: false,
    });
    module = await jiti.import<Record<string, unknown>>(path);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
    throw new ConfigSyntaxError(
      `The config module ${shown} can not be loaded: ${reason}`,
      { file: shown },
      { cause: error },
    );
  }
  const exported = module['default'] ?? module['config'];
  if (exported === undefined)
    throw new ConfigSyntaxError(
      `The config module ${shown} must export the config as "config" or as its default.`,
      { file: shown },
    );
  return exported;
}

function lineAndColumn(text: string, position: number): string {
  const lines = text.slice(0, position).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`;
}
