// A self-made authority, checked by the TLS of Node: names, dates, chain, and what stays over restarts and renewals.

import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity } from 'node:tls';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fingerprintOf, keyPinOf } from '../../../../coordinator/core/tls/fingerprint.ts';
import { openLocalAuthority } from '../../../../coordinator/core/tls/localAuthority.ts';
import type { TlsSource } from '../../../../coordinator/core/tls/tlsSource.ts';

const run = promisify(execFile);
const DAY_MS = 24 * 60 * 60 * 1000;
const START_MS = Date.parse('2026-03-01T12:00:00Z');

describe('a local authority', () => {
  let folder: string;
  let nowMs: number;
  let names: string[];
  let log: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'authority-'));
    nowMs = START_MS;
    log = [];
    names = ['localhost', '127.0.0.1', '::1', 'fd00::1:2', '::ffff:10.0.0.7', 'swarm.lan'];
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (wanted: readonly string[] = []): Promise<TlsSource> =>
    openLocalAuthority({
      folder,
      wanted,
      present: () => names,
      nowMs: () => nowMs,
      log: ({ level, message }) => void log.push(`${level}: ${message}`),
    });
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
    const files = ['authority-key.pem', 'authority.pem', 'server-key.pem'];
    expect((await readdir(join(folder, 'tls'))).sort()).toEqual(files);
    expect(await readFile(join(folder, 'tls/authority.pem'), 'utf8')).not.toContain('PRIVATE');
    for (const name of files) {
      expect((await stat(join(folder, 'tls', name))).mode & 0o777, name).toBe(0o600);
    }
    // As after a backup was put back.
    await chmod(join(folder, 'tls/authority-key.pem'), 0o644);
    await open();
    expect((await stat(join(folder, 'tls/authority-key.pem'))).mode & 0o777).toBe(0o600);
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

  describe('that comes to its end after two years', () => {
    const endMs = START_MS + 730 * DAY_MS;

    it('announces it once a week from two months before on, with the day of the next one', async () => {
      const source = await open();
      expect(Date.parse(new X509Certificate(source.authority!.pem).validTo)).toBe(endMs);
      nowMs = endMs - 61 * DAY_MS;
      await source.renew();
      expect(log).toEqual([]);
      nowMs = endMs - 60 * DAY_MS;
      for (let day = 0; day < 14; day++, nowMs += DAY_MS) await source.renew();
      expect(log).toHaveLength(2);
      expect(log[0]).toMatch(/^warn: The certificate authority in .* ends on 2028-02-29T12:00:00\.000Z\./);
      expect(log[0]).toContain('A new one is made on 2028-02-22T12:00:00.000Z');
    });

    it('never vouches beyond it, and is made anew a week before, while the server runs', async () => {
      const source = await open();
      const first = source.authority!;
      nowMs = endMs - 8 * DAY_MS;
      expect(await source.renew()).toBe(true);
      expect(Date.parse(leafOf(source).validTo)).toBe(endMs);
      expect(await source.renew()).toBe(false);
      nowMs = endMs - 7 * DAY_MS;
      log.length = 0;
      expect(await source.renew()).toBe(true);
      const second = source.authority!;
      expect(second.fingerprint).not.toBe(first.fingerprint);
      expect(leafOf(source).verify(new X509Certificate(second.pem).publicKey)).toBe(true);
      expect(Date.parse(leafOf(source).validTo)).toBe(nowMs + 30 * DAY_MS);
      expect(log[0]).toMatch(/^warn: The certificate authority in .* was made anew: the old one ends on /);
      expect(log[0]).toContain(first.fingerprint);
      expect(log[0]).toContain(second.fingerprint);
    });

    it('is made anew at a start after it', async () => {
      const first = (await open()).authority!.fingerprint;
      nowMs = endMs + DAY_MS;
      const again = await open();
      expect(again.authority!.fingerprint).not.toBe(first);
      expect((await open()).authority!.fingerprint).toBe(again.authority!.fingerprint);
    });
  });

  describe('of an older version, which may vouch for any site', () => {
    /** As it was: certificate and key in one file, for ten years, without constraints. */
    async function writeOlder(): Promise<X509Certificate> {
      await mkdir(join(folder, 'tls'));
      const certificate = join(folder, 'older.pem');
      const key = join(folder, 'older-key.pem');
      await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key]);
      const subject = ['-subj', '/CN=tabgrad on old', '-addext', 'basicConstraints=critical,CA:TRUE'];
      const days = ['-days', '3650', '-out', certificate];
      await run('openssl', ['req', '-x509', '-new', '-key', key, ...subject, ...days]);
      const pem = (await readFile(certificate, 'utf8')) + (await readFile(key, 'utf8'));
      await writeFile(join(folder, 'tls/authority.pem'), pem);
      return new X509Certificate(pem);
    }

    it('is replaced, its key is gone, and the owner is told who has to trust what', async () => {
      nowMs = Date.now();
      const older = await writeOlder();
      const source = await open();
      const { fingerprint } = source.authority!;
      expect(fingerprint).not.toBe(fingerprintOf(older));
      expect(log).toEqual([
        `warn: The certificate authority in ${join(folder, 'tls')} was made anew: the old one could vouch for any site. ` +
          `Whoever trusted it (${fingerprintOf(older)}) should remove it, and has to trust the new one: ${fingerprint}`,
      ]);
      const files = await readdir(join(folder, 'tls'));
      expect(files.sort()).toEqual(['authority-key.pem', 'authority.pem', 'server-key.pem']);
      expect(await readFile(join(folder, 'tls/authority.pem'), 'utf8')).toBe(source.authority!.pem);
      expect((await open()).authority!.fingerprint).toBe(fingerprint);
      expect(log).toHaveLength(1);
    });
  });

  describe('and names that it may not vouch for', () => {
    it('is made anew where the owner wants one, and may vouch for the earlier names still', async () => {
      const first = (await open(['one.example.org'])).authority!.fingerprint;
      expect((await open(['one.example.org'])).authority!.fingerprint).toBe(first);
      const second = await open(['two.example.org']);
      expect(second.authority!.fingerprint).not.toBe(first);
      expect(log).toEqual([expect.stringContaining('the old one may not vouch for two.example.org')]);
      expect((await open(['one.example.org'])).authority!.fingerprint).toBe(second.authority!.fingerprint);
    });

    it('leaves out addresses that the machine got meanwhile, and says so once', async () => {
      const source = await open();
      names = [...names, '203.0.113.7', '192.168.7.9'];
      expect(await source.renew()).toBe(true);
      expect(await source.renew()).toBe(false);
      expect(source.names).toContain('192.168.7.9');
      expect(source.names).not.toContain('203.0.113.7');
      expect(log).toEqual([expect.stringContaining('The certificate is not good for 203.0.113.7')]);
    });
  });

  it('refuses a file that is no authority, and a folder that can not be made', async () => {
    await open();
    const file = join(folder, 'tls/authority-key.pem');
    const pem = await readFile(file, 'utf8');
    await writeFile(file, pem.replace(/-----BEGIN PRIVATE[^]*/, ''));
    await expect(open()).rejects.toMatchObject({ code: 'TLS_CERTIFICATE', place: { file } });
    await rm(join(folder, 'tls'), { recursive: true });
    await writeFile(join(folder, 'tls'), 'in the way');
    await expect(open()).rejects.toMatchObject({ code: 'TLS_FILE' });
  });
});
