// A self-made authority, checked by the TLS of Node: names, dates, chain, and what stays over restarts and renewals.

import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyPinOf } from '../../../coordinator/tls/fingerprint.ts';
import { openLocalAuthority } from '../../../coordinator/tls/localAuthority.ts';
import type { TlsSource } from '../../../coordinator/tls/tlsSource.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const START_MS = Date.parse('2026-03-01T12:00:00Z');

describe('a local authority', () => {
  let folder: string;
  let nowMs: number;
  let names: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authority-'));
    nowMs = START_MS;
    names = ['localhost', '127.0.0.1', '::1', 'fd00::1:2', '::ffff:10.0.0.7', 'swarm.lan'];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (): Promise<TlsSource> =>
    openLocalAuthority({ folder, names: () => names, nowMs: () => nowMs });
  const leafOf = ({ credentials }: TlsSource): X509Certificate => new X509Certificate(credentials.cert);

  it('vouches for every name and address that the server goes by, and for no other', async () => {
    const source = await open();
    const leaf = leafOf(source);
    const authority = new X509Certificate(source.authority!.pem);
    expect(leaf.checkIssued(authority)).toBe(true);
    expect(leaf.verify(authority.publicKey)).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    expect([authority.ca, leaf.ca]).toEqual([true, false]);
    const shown = leaf.toLegacyObject();
    for (const name of names) expect(checkServerIdentity(name, shown), name).toBeUndefined();
    expect(checkServerIdentity('swarm.lan.example.org', shown)).toBeInstanceOf(Error);
    expect(checkServerIdentity('127.0.0.2', shown)).toBeInstanceOf(Error);
  });

  it('keeps its keys where their owner alone can read them', async () => {
    await open();
    expect((await stat(join(folder, 'tls'))).mode & 0o777).toBe(0o700);
    expect((await readdir(join(folder, 'tls'))).sort()).toEqual(['authority.pem', 'server-key.pem']);
    for (const name of ['authority.pem', 'server-key.pem']) {
      expect((await stat(join(folder, 'tls', name))).mode & 0o777, name).toBe(0o600);
    }
    // As after a backup was put back.
    await chmod(join(folder, 'tls/authority.pem'), 0o644);
    await open();
    expect((await stat(join(folder, 'tls/authority.pem'))).mode & 0o777).toBe(0o600);
  });

  it('is the same after a restart, and for two processes that make it at once', async () => {
    const opened = await Promise.all([open(), open(), open()]);
    const again = await open();
    for (const source of opened) {
      expect(source.authority!.fingerprint).toBe(again.authority!.fingerprint);
      expect(keyPinOf(leafOf(source))).toBe(keyPinOf(leafOf(again)));
    }
  });

  it('renews certificates before they expire, with the same key, and only then', async () => {
    const source = await open();
    const first = leafOf(source);
    expect(Date.parse(first.validTo) - START_MS).toBe(30 * DAY_MS);
    nowMs += 19 * DAY_MS;
    expect(await source.renew()).toBe(false);
    nowMs += 2 * DAY_MS;
    expect(await source.renew()).toBe(true);
    const second = leafOf(source);
    expect(Date.parse(second.validTo)).toBe(nowMs + 30 * DAY_MS);
    expect(second.serialNumber).not.toBe(first.serialNumber);
    expect(keyPinOf(second)).toBe(keyPinOf(first));
  });

  it('renews a certificate that lacks an address which the machine got meanwhile', async () => {
    const source = await open();
    names = [...names, '192.168.7.9'];
    expect(await source.renew()).toBe(true);
    expect(leafOf(source).subjectAltName).toContain('IP Address:192.168.7.9');
    expect(await source.renew()).toBe(false);
  });

  it('never vouches beyond its own end, and says when that has come', async () => {
    await open();
    nowMs += 3_640 * DAY_MS;
    const source = await open();
    expect(leafOf(source).validTo).toBe(new X509Certificate(source.authority!.pem).validTo);
    nowMs += 20 * DAY_MS;
    await expect(open()).rejects.toMatchObject({ code: 'TLS_CERTIFICATE' });
    await expect(open()).rejects.toThrow(/authority\.pem expired on/);
  });

  it('refuses a file that is no authority, and a folder that can not be made', async () => {
    await open();
    const file = join(folder, 'tls/authority.pem');
    const pem = await readFile(file, 'utf8');
    await writeFile(file, pem.replace(/-----BEGIN PRIVATE[^]*/, ''));
    await expect(open()).rejects.toMatchObject({ code: 'TLS_CERTIFICATE', place: { file } });
    await rm(join(folder, 'tls'), { recursive: true });
    await writeFile(join(folder, 'tls'), 'in the way');
    await expect(open()).rejects.toMatchObject({ code: 'TLS_FILE' });
  });
});
