import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { commonOptions } from '../../coordinator/cli/command.ts';
import { commands } from '../../coordinator/cli/commands/commands.ts';

const root = join(import.meta.dirname, '../..');
const texts = ['', 'docs/']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => folder + name))
  .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
  .map((name) => ({ name, text: readFileSync(join(root, name), 'utf8') }));

it('commands and flags in documents are there', () => {
  const wrong: string[] = [];
  for (const { name, text } of texts) {
    for (const [mention, word, rest] of text.matchAll(/\btabgrad ([a-z]+)\b([^`\n"]*)/g)) {
      const command = commands.find((one) => one.name === word);
      if (command === undefined) {
        if (rest!.includes('--')) wrong.push(`${name}: ${mention}`);
        continue;
      }
      const known = { ...command.options, ...commonOptions };
      for (const [flag] of rest!.split(' | ')[0]!.matchAll(/(?<= )--[a-z][a-z-]*/g)) {
        if (!Object.hasOwn(known, flag.slice(2))) wrong.push(`${name}: tabgrad ${word} ${flag}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

it('files that documents name are there', () => {
  const folders = 'client|coordinator|docs|examples|kernels|scripts|shared|test|deploy';
  const path = new RegExp(String.raw`(?<![\w/.-])(?:${folders})/[\w./-]*\.(?:md|mjs|svg|ts|yaml)\b`, 'g');
  const wrong = texts.flatMap(({ name, text }) =>
    Array.from(text.matchAll(path), ([file]) => file)
      .filter((file) => !existsSync(join(root, file)))
      .map((file) => `${name}: ${file}`),
  );
  expect(wrong).toEqual([]);
});

it('scripts of npm that documents name are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object };
  const wrong = texts.flatMap(({ name, text }) =>
    Array.from(text.matchAll(/\bnpm run ([a-z:]+)/g), ([, script]) => script!)
      .filter((script) => !Object.hasOwn(scripts, script))
      .map((script) => `${name}: npm run ${script}`),
  );
  expect(wrong).toEqual([]);
});
