// What an authority may vouch for, as this code reads it, and as OpenSSL and the TLS of Node hold it to.

import { execFile } from 'node:child_process';
import { X509Certificate, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { askCoordinator } from '../../../../coordinator/cluster/remote/askCoordinator.ts';
import { issueAuthority, issueServer } from '../../../../coordinator/core/tls/issueCertificate.ts';
import {
  constraintsFor,
  constraintsOf,
  isPermitted,
  type NameConstraints,
} from '../../../../coordinator/core/tls/nameConstraints.ts';
import { newKey, pemOf } from '../../../../coordinator/core/tls/serverKey.ts';

const run = promisify(execFile);
const DAY_MS = 24 * 60 * 60 * 1000;
/** A machine with a name that is a top-level domain as well, and with public addresses. */
const OWN = ['localhost', 'dev', 'dev.local', 'train.example.org', '203.0.113.7', '2001:db8:0:1::5'];
const constraints = constraintsFor(OWN);

const permitted = [
  'localhost',
  'a.localhost',
  'dev',
  'dev.local',
  'printer.local',
  'train.example.org',
  'a.train.example.org',
  '127.0.0.1',
  '10.1.2.3',
  '172.31.255.255',
  '192.168.0.1',
  '169.254.9.9',
  '100.100.1.1',
  '::1',
  'fd12:3456::1',
  'fe80::1',
  '203.0.113.7',
  '2001:db8:0:1::5',
  '2001:db8:0:1:ffff::9',
];
const refused = [
  'example.org',
  'xtrain.example.org',
  'train.example.org.evil.com',
  'web.dev',
  'bank.com',
  'mylocal',
  '8.8.8.8',
  '172.32.0.1',
  '11.0.0.1',
  '100.128.0.1',
  '203.0.113.8',
  '2001:db8:0:2::5',
  '::ffff:10.0.0.1',
];

describe('constraints on names', () => {
  it.each(permitted)('let %s be vouched for', (name) => {
    expect(isPermitted(constraints, name)).toBe(true);
  });

  it.each(refused)('keep %s from being vouched for', (name) => {
    expect(isPermitted(constraints, name)).toBe(false);
  });

  it('are read from a certificate as they were written, and are critical', () => {
    const { certificate } = authorityWith(constraints);
    expect(constraintsOf(certificate)).toEqual(constraints);
    expect(constraints.excludedNames).toEqual(['.dev']);
    const text = certificate.raw.toString('hex');
    // The identifier 2.5.29.30, then TRUE.
    expect(text).toMatch(/0603551d1e0101ff/);
  });

  it('keep what an earlier authority might do, and grow by what is wanted alone', () => {
    const grown = constraintsFor(['10.0.0.1', 'two.example.org'], constraints);
    expect(grown.names).toEqual([...constraints.names, 'two.example.org']);
    expect(grown.networks).toEqual(constraints.networks);
    expect(constraintsFor(OWN, constraints)).toEqual(constraints);
  });
});

interface TestAuthority {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

function authorityWith(held: NameConstraints): TestAuthority {
  const key = newKey();
  const [fromMs, untilMs] = [Date.now() - DAY_MS, Date.now() + DAY_MS];
  const pem = issueAuthority({ commonName: 'held authority', key, constraints: held, fromMs, untilMs });
  return { certificate: new X509Certificate(pem), key };
}

describe('a certificate beyond what its authority may vouch for', () => {
  let folder: string;
  const authority = authorityWith(constraints);
  const ca = authority.certificate.toString();

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'constraints-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function leafFor(names: readonly string[]): { cert: string; key: string } {
    const key = newKey();
    const cert = issueServer({
      commonName: 'tabgrad',
      names,
      key,
      issuerName: 'held authority',
      issuerKey: authority.key,
      fromMs: Date.now() - DAY_MS,
      untilMs: Date.now() + DAY_MS,
    });
    return { cert, key: pemOf(key) };
  }

  /** What `openssl verify` says of a leaf for these names, in one piece. */
  async function opensslVerdict(names: readonly string[]): Promise<string> {
    await writeFile(join(folder, 'ca.pem'), ca);
    await writeFile(join(folder, 'leaf.pem'), leafFor(names).cert);
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem'];
    const told = await run('openssl', args, { cwd: folder }).catch(
      (error: { stderr: string; stdout: string }) => error,
    );
    return `${told.stdout}${told.stderr}`;
  }

  it('is refused by OpenSSL for each name and address, one by one', async () => {
    for (const name of refused) {
      expect(await opensslVerdict([name, 'localhost']), name).toMatch(
        /(permitted subtree violation|excluded subtree violation)/,
      );
    }
    expect(await opensslVerdict(permitted)).toBe('leaf.pem: OK\n');
  });

  it('is refused by Node and by the client of coordinators, and a good one is taken', async () => {
    const names = new Map([
      ['good', leafFor(permitted)],
      ['bad', leafFor([...permitted, 'bank.com'])],
    ]);
    const outcomes = new Map<string, unknown>();
    for (const [name, credentials] of names) {
      const server = createServer(credentials, (_, response) => response.end('ok'));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const socket = connect({ host: '127.0.0.1', port, ca });
      const [outcome] = await Promise.race([
        once(socket, 'secureConnect').then(() => ['taken']),
        once(socket, 'error') as Promise<Error[]>,
      ]);
      outcomes.set(name, outcome);
      const address = {
        url: `https://127.0.0.1:${port}`,
        token: undefined,
        ca,
        signal: new AbortController().signal,
      };
      const asked = askCoordinator(address, 'healthz');
      if (name === 'good') expect(await (await asked).text()).toBe('ok');
      else await expect(asked).rejects.toMatchObject({ code: 'SERVER_UNTRUSTED' });
      socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(outcomes.get('good')).toBe('taken');
    expect((outcomes.get('bad') as Error).message).toMatch(/subtree violation/);
  });
});
