// compose.yaml and the Dockerfile, as far as they can be checked without Docker: that what they name is there.

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../../coordinator/cli/commands.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const text = readFileSync('compose.yaml', 'utf8');
const compose = parse(text) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const optionsOf = (name: string): Set<string> => {
  const options = commands.find((command) => command.name === name)!.options;
  return new Set(Object.keys(options).map((option) => `--${option}`));
};
/** Environment variables that `tabgrad up` reads. */
const variables = Object.values(commands.find(({ name }) => name === 'up')!.options).flatMap((option) =>
  'env' in option && option.env !== undefined ? [option.env] : [],
);

describe('compose.yaml', () => {
  it('has an image, known volumes and known services everywhere', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      expect(service.image ?? service.build, name).toBeDefined();
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (!source.startsWith('.')) expect(Object.keys(compose.volumes), name).toContain(source);
      }
      for (const other of service.depends_on ?? []) expect(Object.keys(compose.services)).toContain(other);
    }
  });

  it('asks for no setting that .env.example does not have', () => {
    const example = readFileSync('.env.example', 'utf8');
    const known = [...example.matchAll(/^#? ?([A-Z0-9_]+)=/gm)].map(([, name]) => name);
    const optional = ['TABGRAD_TRUST_PROXY'];
    for (const [, name] of text.matchAll(/\$\{([A-Z0-9_]+)/g)) {
      expect([...known, ...optional]).toContain(name);
    }
  });

  it('starts the coordinator with options and variables that it has', () => {
    const { command = [], environment = {} } = compose.services['coordinator']!;
    const options = optionsOf('up');
    expect(command[0]).toBe('up');
    for (const word of command.filter((one) => one.startsWith('--'))) expect(options).toContain(word);
    for (const name of Object.keys(environment).filter((one) => one.startsWith('TABGRAD_'))) {
      expect(variables).toContain(name);
    }
  });
});

describe('the Dockerfile', () => {
  it('runs no root, and commands that there are', () => {
    const dockerfile = readFileSync('Dockerfile', 'utf8');
    expect(dockerfile).toMatch(/^USER node$/m);
    const [, words = '[]'] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    const [name = '', ...rest] = JSON.parse(words) as string[];
    const options = optionsOf(name);
    for (const word of rest.filter((one) => one.startsWith('--'))) expect(options).toContain(word);
  });
});
