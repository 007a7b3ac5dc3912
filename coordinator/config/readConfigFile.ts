// Reads a config file of any of its formats into a plain value. Nothing is checked here but that it parses.

import { readFile, stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createJiti } from 'jiti';
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import { ConfigSyntaxError, ConfigUnreadableError } from './configErrors.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_DEPTH = 100;

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
    const { size } = await stat(path);
    if (size > MAX_CONFIG_BYTES) throw tooLong(shown);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigUnreadableError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a folder' : `can not be read (${code})`;
    throw new ConfigUnreadableError(`The config file ${shown} ${reason}.`, { file: shown }, { cause: error });
  }
  // What is no regular file has no size.
  if (text.length > MAX_CONFIG_BYTES) throw tooLong(shown);
  return text;
}

function tooLong(shown: string): ConfigUnreadableError {
  return new ConfigUnreadableError(`The config file ${shown} is longer than ${MAX_CONFIG_BYTES} bytes.`, {
    file: shown,
  });
}

/** Parsed values are walked by recursion later. @throws ConfigSyntaxError */
function withinDepth(config: unknown, shown: string): unknown {
  let level: unknown[] = [config];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH)
      throw new ConfigSyntaxError(`The config file ${shown} is nested more than ${MAX_DEPTH} levels deep.`, {
        file: shown,
      });
    // A value that aliases name many times counts once.
    const next = new Set<unknown>();
    for (const value of level)
      if (typeof value === 'object' && value !== null)
        for (const member of Object.values(value)) next.add(member);
    level = [...next];
  }
  return config;
}

async function readJson(path: string, shown: string): Promise<unknown> {
  const text = await readText(path, shown);
  try {
    return withinDepth(JSON.parse(text), shown);
  } catch (error) {
    if (error instanceof ConfigSyntaxError) throw error;
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
  const text = await readText(path, shown);
  try {
    const lines = new LineCounter();
    // The parser's own check of names compares each with all others.
    const document = parseDocument(text, { prettyErrors: true, uniqueKeys: false, lineCounter: lines });
    const [error] = document.errors;
    if (error !== undefined)
      throw wrongYaml(shown, error.message.split(/ at line \d|\n/)[0]!, error.linePos?.[0]);
    requireUniqueKeys(document, lines, shown);
    return withinDepth(document.toJS({ maxAliasCount: 100 }), shown);
  } catch (cause) {
    if (cause instanceof ConfigSyntaxError) throw cause;
    const reason = cause instanceof RangeError ? 'it is nested too deep' : (cause as Error).message;
    throw wrongYaml(shown, reason, undefined, cause);
  }
}

function wrongYaml(
  shown: string,
  reason: string,
  at: { readonly line: number; readonly col: number } | undefined,
  cause?: unknown,
): ConfigSyntaxError {
  const place = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
  return new ConfigSyntaxError(
    `The config file ${shown} is no valid YAML${place}: ${reason}.`,
    { file: shown },
    { cause },
  );
}

function requireUniqueKeys(document: Document, lines: LineCounter, shown: string): void {
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const place = key.range ? lines.linePos(key.range[0]) : undefined;
        if (seen.has(key.value))
          throw wrongYaml(shown, `Map keys must be unique, and "${String(key.value)}" is there twice`, place);
        seen.add(key.value);
      }
    },
  });
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
