// Servers over https as others meet them: with certificates from files, replaced while they run, and trusted by those
// alone who have a reason to.

import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { commands } from '../../../../coordinator/cli/commands/commands.ts';
import { runCli } from '../../../../coordinator/cli/runCli.ts';
import { askForJson } from '../../../../coordinator/cluster/remote/askCoordinator.ts';
import { trustedAuthorities } from '../../../../coordinator/cluster/remote/serverTrust.ts';
import { trustingFetch } from '../../../../coordinator/cluster/remote/trustingFetch.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { fingerprintOf, shownFingerprint } from '../../../../coordinator/core/tls/fingerprint.ts';
import type { TlsSettings } from '../../../../coordinator/core/tls/openTls.ts';
import { ManualClock } from '../../../setup/manualClock.ts';
import { startTabgrad } from '../../cli/runTabgrad.ts';
import { flights, makeServedModels, oracleColumns } from '../../serve/servedModels.ts';
import { testAuthority, writeServer } from './certificates.ts';
import { newKey, pemOf } from '../../../../coordinator/core/tls/serverKey.ts';

const { signal } = new AbortController();
const MINUTE_MS = 60_000;

describe('servers over https', () => {
  let folder: string;
  let coordinator: Coordinator | undefined;
  const authority = testAuthority();
  const fingerprint = fingerprintOf(new X509Certificate(authority.pem));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'https-'));
    await writeFile(join(folder, 'ca.pem'), authority.pem);
  });
  afterEach(async () => {
    await coordinator?.close();
    coordinator = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function start(tls: TlsSettings, clock?: ManualClock, log: string[] = []): Promise<Coordinator> {
    coordinator = await startCoordinator({
      port: 0,
      tls,
      log: ({ message }) => void log.push(message),
      ...(clock && { clock }),
    });
    return coordinator;
  }

  const ask = (url: string, ca: string | undefined): Promise<unknown> =>
    askForJson({ url, token: coordinator!.tokens.admin, ca, signal }, 'api/v1/status', z.unknown());

  /** The serial number of the certificate that new connections are shown. */
  function shownSerial(url: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const socket = connect({ host: hostname, port: Number(port), ca: authority.pem }, () => {
        resolve(socket.getPeerX509Certificate()!.serialNumber);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  }

  it('answer who trusts the authority, by file or by fingerprint, and count the traffic', async () => {
    const { url } = await start(await writeServer(folder, authority));
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:/);
    for (const settings of [
      { caFile: join(folder, 'ca.pem') },
      { caFingerprint: fingerprint },
      { caFingerprint: shownFingerprint(fingerprint) },
    ]) {
      const ca = await trustedAuthorities({ url, signal, ...settings });
      expect(new X509Certificate(ca!).fingerprint256).toBe(new X509Certificate(authority.pem).fingerprint256);
      await expect(ask(url, ca)).resolves.toMatchObject({ workers: 0 });
    }
    expect(coordinator!.traffic().api.receivedBytes).toBeGreaterThan(0);
  });

  it('are not trusted without a reason: unknown authority, wrong fingerprint, other name, no encryption', async () => {
    const { url } = await start(await writeServer(folder, authority, { names: ['127.0.0.1'] }));
    await expect(ask(url, undefined)).rejects.toMatchObject({ code: 'SERVER_UNTRUSTED' });
    await expect(ask(url, undefined)).rejects.toThrow(/--ca-fingerprint/);
    await expect(ask(url, testAuthority().pem)).rejects.toMatchObject({ code: 'SERVER_UNTRUSTED' });
    await expect(ask(url.replace('127.0.0.1', 'localhost'), authority.pem)).rejects.toMatchObject({
      code: 'SERVER_UNTRUSTED',
    });
    const wrong = `sha256:${'0'.repeat(64)}`;
    const pinned = (caFingerprint: string, at = url): Promise<unknown> =>
      trustedAuthorities({ url: at, caFingerprint, signal });
    await expect(pinned(wrong)).rejects.toMatchObject({ code: 'SERVER_UNTRUSTED' });
    await expect(pinned(wrong)).rejects.toThrow(`has ${fingerprint}`);
    await expect(pinned('sha256:12')).rejects.toMatchObject({ code: 'TLS_CERTIFICATE' });
    await expect(pinned(fingerprint, url.replace('https', 'http'))).rejects.toMatchObject({
      code: 'SERVER_UNTRUSTED',
    });
  });

  it('send WebSockets and strict transport, and take plain http for nothing', async () => {
    const { url } = await start(await writeServer(folder, authority));
    const socket = new WebSocket(`${url.replace('https', 'wss')}/control`, { ca: authority.pem });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.terminate();
    await expect(fetch(`${url.replace('https', 'http')}/healthz`)).rejects.toThrow('fetch failed');
  });

  it('show a replaced certificate to new connections without a restart', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const files = await writeServer(folder, authority);
    const { url } = await start(files, clock, log);
    const first = await shownSerial(url);
    await writeServer(folder, authority, { untilDay: 20 });
    await clock.advanceSettled(MINUTE_MS);
    await expect.poll(() => log).toContain('The certificate was renewed');
    expect(await shownSerial(url)).not.toBe(first);
  });

  it('keep the certificate that works when the new one does not, and say so once', async () => {
    const clock = new ManualClock();
    const log: string[] = [];
    const { url } = await start(await writeServer(folder, authority), clock, log);
    const first = await shownSerial(url);
    await writeFile(join(folder, 'key.pem'), pemOf(newKey()));
    for (let minute = 0; minute < 3; minute++) {
      clock.advance(MINUTE_MS);
      await expect.poll(() => clock.pending).toBeGreaterThan(0);
    }
    await expect
      .poll(() => log.filter((line) => line.startsWith('The certificate stays as it is')).length)
      .toBe(1);
    expect(await shownSerial(url)).toBe(first);
  });

  it('do not start with files that are missing, damaged, expired, early or of two pairs', async () => {
    const files = await writeServer(folder, authority);
    const { certFile, keyFile } = files;
    const fails = async (settings: TlsSettings, code: string, file: string, words: RegExp): Promise<void> => {
      await expect(start(settings)).rejects.toMatchObject({ code, place: { file } });
      await expect(start(settings)).rejects.toThrow(words);
    };
    const missing = join(folder, 'missing.pem');
    await fails({ certFile: missing, keyFile }, 'TLS_FILE', missing, /missing\.pem can not be read/);
    await fails({ certFile: keyFile, keyFile }, 'TLS_CERTIFICATE', keyFile, /no certificate in PEM/);
    await fails({ certFile, keyFile: certFile }, 'TLS_CERTIFICATE', certFile, /no private key in PEM/);
    await writeFile(keyFile, pemOf(newKey()));
    await fails(files, 'TLS_CERTIFICATE', keyFile, /is not that of the certificate/);
    await writeServer(folder, authority, { fromDay: -3, untilDay: -1 });
    await fails(files, 'TLS_CERTIFICATE', certFile, /expired on/);
    await writeServer(folder, authority, { fromDay: 1, untilDay: 3 });
    await fails(files, 'TLS_CERTIFICATE', certFile, /good only from/);
  });

  it('offer the certificate of a self-made authority, with its fingerprint and without strict transport', async () => {
    const { url, authority: own } = await start({ selfMadeIn: folder, names: ['swarm.lan'] });
    const ca = await trustedAuthorities({ url, caFingerprint: own!.fingerprint, signal });
    expect(ca).toBe(own!.pem);
    const page = await getText(`${url}/authority`, ca!);
    expect(page.body.replaceAll('\n', '')).toContain(shownFingerprint(own!.fingerprint));
    expect(page.headers['strict-transport-security']).toBeUndefined();
    const der = await getText(`${url}/authority.crt`, ca!);
    expect(der.headers['content-type']).toBe('application/x-x509-ca-cert');
    expect(Buffer.from(der.body, 'latin1').equals(new X509Certificate(ca!).raw)).toBe(true);
    expect((await getText(`${url}/authority.pem`, ca!)).body).toBe(ca);
  });

  it('serve predictions the same way, from the command line too', async () => {
    const models = makeServedModels();
    const model = models.late.checkpoint.modelPath;
    const words = ['serve', '--checkpoint', model, '--port', '0', '--tls', 'self', '--storage', folder];
    const running = startTabgrad([...words, '--json']);
    try {
      const started = JSON.parse(await running.printed('\n')) as {
        url: string;
        authorityFingerprint: string;
      };
      expect(started.url).toMatch(/^https:/);
      const caFingerprint = started.authorityFingerprint;
      const ca = await trustedAuthorities({ url: started.url, caFingerprint, signal });
      const rows = flights(3);
      const answer = await trustingFetch(ca!)(new URL(started.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(rows),
        signal,
      });
      const expected = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length);
      expect(await answer.json()).toEqual([...expected].map((predictions) => ({ predictions })));
      running.signal('SIGTERM');
      expect((await running.ended).stderr).toBe('');
    } finally {
      running.signal('SIGKILL');
      models.remove();
    }
  });

  it('are told on the command line which options contradict one another', async () => {
    const refused = async (words: readonly string[], why: RegExp): Promise<void> => {
      let stderr = '';
      const code = await runCli(['up', '--port', '0', ...words], commands, '0', {
        stdout: { write: () => undefined },
        stderr: { write: (text) => (stderr += text) },
        env: {},
        cwd: folder,
        signal,
        now: () => 0,
      });
      expect([code, stderr]).toEqual([2, expect.stringMatching(why)]);
    };
    await refused(['--tls', 'self'], /BAD_ARGUMENT: --tls self needs --storage/);
    await refused(['--tls-cert', 'a.pem'], /--tls-key is missing/);
    await refused(['--tls-names', 'a'], /goes together with --tls self/);
    await refused(['--tls', 'self', '--storage', folder, '--tls-key', 'a'], /leave --tls-cert and --tls-key/);
    await refused(['--tls', 'self', '--storage', folder, '--tls-names', 'a b'], /got "a b"/);
  });
});

function getText(
  url: string,
  ca: string,
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers,
          body: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    }).on('error', reject);
  });
}
