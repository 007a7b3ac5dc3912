// Reads a config file of any of its formats into a plain value. Nothing is checked here but that it parses.

import { readFile } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { parseDocument } from 'yaml';
import { ConfigSyntaxError, ConfigUnreadableError } from './configErrors.ts';

const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

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

async function readText(path: string, shown: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `can not be read (${code})`;
    throw new ConfigUnreadableError(`The config file ${shown} ${reason}.`, { file: shown }, { cause: error });
  }
  if (text.length > MAX_CONFIG_BYTES)
    throw new ConfigUnreadableError(`The config file ${shown} is longer than ${MAX_CONFIG_BYTES} bytes.`, {
      file: shown,
    });
  return text;
}

async function readJson(path: string, shown: string): Promise<unknown> {
  const text = await readText(path, shown);
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
  const document = parseDocument(await readText(path, shown), { prettyErrors: true });
  const [error] = document.errors;
  if (error !== undefined) {
    const start = error.linePos?.[0];
    const place = start === undefined ? '' : ` at line ${start.line}, column ${start.col}`;
    const short = error.message.split(/ at line \d|\n/)[0];
    throw new ConfigSyntaxError(
      `The config file ${shown} is no valid YAML${place}: ${short}.`,
      { file: shown },
      { cause: error },
    );
  }
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new ConfigSyntaxError(
      `The config file ${shown} is no valid YAML: ${(cause as Error).message}.`,
      { file: shown },
      { cause },
    );
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
