// compose.yaml and the Dockerfile, as far as they can be checked without Docker: that what they name is there, and that each
// container may do what it needs and no more.

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { commands } from '../../coordinator/cli/commands/commands.ts';

interface Service {
  readonly image?: string;
  readonly build?: string;
  readonly user?: string;
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly depends_on?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly privileged?: boolean;
  readonly pids_limit?: number;
  readonly mem_limit?: string;
  readonly healthcheck?: { readonly test: readonly string[]; readonly timeout: string };
  readonly network_mode?: string;
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly ports?: readonly string[];
}

interface Network {
  readonly internal?: boolean;
  readonly ipam?: { readonly config: readonly { readonly subnet: string }[] };
}

const text = readFileSync('compose.yaml', 'utf8');
const compose = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const services = Object.entries(compose.services);
const dockerfile = readFileSync('Dockerfile', 'utf8');

const optionsOf = (name: string): Set<string> => {
  const options = commands.find((command) => command.name === name)!.options;
  return new Set(Object.keys(options).map((option) => `--${option}`));
};
/** Environment variables that `tabgrad up` reads. */
const variables = Object.values(commands.find(({ name }) => name === 'up')!.options).flatMap((option) =>
  'env' in option && option.env !== undefined ? [option.env] : [],
);
const addressOf = (name: string, network: string): string | undefined => {
  const networks = compose.services[name]!.networks as Record<string, { ipv4_address?: string } | null>;
  return networks[network]?.ipv4_address;
};
/** An exact version: what it stands for changes with fixes of the same release alone. */
const exactTag = /^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.]+)*(@sha256:[0-9a-f]{64})?$/;

describe('compose.yaml', () => {
  it.each(services)('has an image, known volumes, networks and services: %s', (_, service) => {
    expect(service.image ?? service.build).toBeDefined();
    for (const volume of service.volumes ?? []) {
      const [source = ''] = volume.split(':');
      if (source.startsWith('.')) expect(existsSync(source)).toBe(true);
      else expect(Object.keys(compose.volumes)).toContain(source);
    }
    for (const other of service.depends_on ?? []) expect(Object.keys(compose.services)).toContain(other);
    const networks = Array.isArray(service.networks) ? service.networks : Object.keys(service.networks ?? {});
    for (const network of networks) expect(Object.keys(compose.networks)).toContain(network);
    expect(service.network_mode === 'host' || networks.length > 0).toBe(true);
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

  it('asks for no variable of a profile in a way that stops those who do not use it', () => {
    // Compose fills in the whole file before it looks at profiles.
    expect([...text.matchAll(/\$\{([A-Z0-9_]+):?\?/g)].map(([, name]) => name)).toEqual([]);
  });

  it('names images by exact versions', () => {
    const tags = services.flatMap(([, { image, build }]) => (build === undefined ? [image!] : []));
    expect(tags).toHaveLength(5);
    for (const tag of tags) expect(tag).toMatch(exactTag);
  });

  it('puts no secret among the arguments of a process', () => {
    for (const [name, { command = [], entrypoint = [], healthcheck }] of services) {
      const words = [...command, ...entrypoint, ...(healthcheck?.test ?? [])].join(' ');
      expect(words, name).not.toMatch(/SECRET|PASSWORD|TOKEN|KEY/);
    }
  });

  it('lets other machines in by Caddy and coturn alone', () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published).toEqual(['coordinator 127.0.0.1:7070:7070', 'caddy 80:80', 'caddy 443:443']);
    expect(services.filter(([, one]) => one.network_mode === 'host').map(([name]) => name)).toEqual(['turn']);
    expect(compose.networks['stores']!.internal).toBe(true);
    for (const name of ['postgres', 's3', 's3-bucket'])
      expect(compose.services[name]!.networks).toEqual(['stores']);
  });

  it('has the coordinator believe Caddy, by an address of its own, and not the gateway', () => {
    const subnet = compose.networks['proxy']!.ipam!.config[0]!.subnet;
    const [network, gateway] = [subnet.replace(/\d+\/28$/, ''), subnet.replace(/\d+\/28$/, '1')];
    const caddy = addressOf('caddy', 'proxy')!;
    expect(caddy.startsWith(network)).toBe(true);
    expect(addressOf('coordinator', 'proxy')!.startsWith(network)).toBe(true);
    const trusted = compose.services['coordinator']!.environment!['TABGRAD_TRUST_PROXY'];
    expect(trusted).toBe(`\${TABGRAD_TRUST_PROXY:-${caddy}}`);
    expect([gateway, addressOf('coordinator', 'proxy')]).not.toContain(caddy);
  });
});

describe.each(services)('the container %s', (name, service) => {
  it('can write to volumes and tmpfs alone', () => {
    expect(service.read_only).toBe(true);
    expect(
      [...(service.tmpfs ?? []), ...(service.volumes ?? [])].some((one) => /\/tmp|\/run/.test(one)),
    ).toBe(true);
    for (const volume of service.volumes ?? []) if (volume.startsWith('.')) expect(volume).toMatch(/:ro$/);
    // What is in memory is bounded.
    for (const folder of service.tmpfs ?? []) expect(folder).toMatch(/[:,]size=\d+m\b/);
  });

  it('has no capability but that of a low port, and gets none', () => {
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.cap_add ?? []).toEqual(['caddy', 'turn'].includes(name) ? ['NET_BIND_SERVICE'] : []);
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    expect(service.privileged).toBeUndefined();
  });

  it('has bounds of memory and processes', () => {
    expect(service.mem_limit).toMatch(/\d+[mg]\}?$/);
    expect(service.pids_limit).toBeLessThanOrEqual(512);
  });

  it('tells whether it works, or ends', () => {
    if (service.restart === 'on-failure') return;
    expect(service.build === undefined ? service.healthcheck?.test[0] : dockerfile).toMatch(
      /^CMD(-SHELL)?$|^HEALTHCHECK /m,
    );
    if (service.healthcheck) expect(service.healthcheck.timeout).toBe('5s');
  });
});

describe('the Dockerfile', () => {
  it('runs no root, and commands that there are', () => {
    expect(dockerfile).toMatch(/^USER node$/m);
    const [, words = '[]'] = /^CMD (\[.*\])$/m.exec(dockerfile) ?? [];
    const [name = '', ...rest] = JSON.parse(words) as string[];
    const options = optionsOf(name);
    for (const word of rest.filter((one) => one.startsWith('--'))) expect(options).toContain(word);
  });

  it('installs what the lock file has, and nothing else', () => {
    const installs = [...dockerfile.matchAll(/\bnpm (ci|install|i|add|exec)\b[^&\\\n]*/g)].map(
      ([line]) => line,
    );
    expect(installs.map((line) => line.trim())).toEqual(['npm ci', 'npm ci --omit=dev']);
    // Without .npmrc packages could run their scripts.
    expect(dockerfile.match(/^COPY package\.json package-lock\.json \.npmrc \.\/$/gm)).toHaveLength(2);
    expect(readFileSync('.npmrc', 'utf8')).toMatch(/^ignore-scripts=true$/m);
    expect(dockerfile).not.toMatch(/\b(curl|wget|npx)\b .*http|^ADD /m);
  });

  it('builds on one image, of an exact version', () => {
    const [, image] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? [];
    expect(image).toMatch(exactTag);
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual(['${NODE_IMAGE}', '${NODE_IMAGE}', '${NODE_IMAGE}']);
  });

  it('copies files that are there', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, files]) =>
      files!.split(' '),
    );
    expect(copied).toContain('package-lock.json');
    for (const file of copied) expect(existsSync(file), file).toBe(true);
  });
});
