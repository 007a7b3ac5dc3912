// A volunteer on another machine of a LAN: a tab of a real browser that knows the coordinator by a name of its own,
// over https, with Node and Deno workers that trust the coordinator's self-made authority.

import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser } from '../../coordinator/cluster/local/findBrowser.ts';
import { startLocalWorkers, type LocalWorkers } from '../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../coordinator/core/server/coordinator.ts';
import { keyPinOf } from '../../coordinator/core/tls/fingerprint.ts';
import { GBDTTrainer } from '../../coordinator/train/gbdt/gbdtTrainer.ts';
import { flights } from './swarm.ts';

const NAME = 'swarm.lan';

describe('a swarm over https', () => {
  let folder: string;
  let coordinator: Coordinator;
  let browser: Browser;
  let localWorkers: LocalWorkers;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'https-swarm-'));
    const tls = { selfMadeIn: folder, names: [NAME] };
    coordinator = await startCoordinator({
      port: 0,
      host: '0.0.0.0',
      storagePath: folder,
      tls,
      adminToken: 'admin',
      joinToken: 'join',
    });
  });
  afterAll(async () => {
    await localWorkers?.stop();
    await browser?.close();
    await coordinator?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The browser of another machine, whose names the network resolves, and who installed nothing but trusts one key. */
  async function openBrowser(pins: readonly string[]): Promise<Browser> {
    const found = await findBrowser();
    return chromium.launch({
      executablePath: found.executablePath,
      env: { ...(process.env as Record<string, string>), ...found.environment },
      args: [
        '--no-sandbox',
        '--enable-unsafe-webgpu',
        '--use-webgpu-adapter=swiftshader',
        `--host-resolver-rules=MAP ${NAME} 127.0.0.1`,
        ...(pins.length > 0 ? [`--ignore-certificate-errors-spki-list=${pins.join(',')}`] : []),
      ],
    });
  }

  const address = (scheme: string): string => `${scheme}://${NAME}:${new URL(coordinator.url).port}`;

  it('is refused by a browser that does not know the authority', async () => {
    browser = await openBrowser([]);
    const page = await browser.newPage();
    await expect(page.goto(`${address('https')}/join`)).rejects.toThrow('ERR_CERT_AUTHORITY_INVALID');
    await browser.close();
  });

  it('hands the certificate to whoever clicks past the warning, with what to do with it', async () => {
    browser = await openBrowser([]);
    const context = await browser.newContext({ ignoreHTTPSErrors: true, acceptDownloads: true });
    const page = await context.newPage();
    await page.goto(`${address('https')}/authority`);
    // The page's policy lets its own style in.
    expect(await page.evaluate(() => getComputedStyle(document.querySelector('main')!).maxWidth)).toBe(
      '704px',
    );
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 20_000 }),
      page.getByRole('link', { name: 'Download the certificate' }).click(),
    ]);
    const certificate = new X509Certificate(await readFile(await download.path()));
    expect(certificate.fingerprint256).toBe(new X509Certificate(coordinator.authority!.pem).fingerprint256);
    expect(await page.locator('pre').textContent()).toBe(
      certificate.fingerprint256.replace(/^(.{48})/, '$1\n'),
    );
    await browser.close();
  });

  it('gives a tab on another name a GPU, and trains with tab, Node and Deno in one group', async () => {
    const storedLeaf = await serverCertificate(coordinator.url, coordinator.authority!.pem);
    browser = await openBrowser([keyPinOf(storedLeaf)]);
    const page = await browser.newPage();
    await page.goto(`${address('https')}/join?auto=1&device=webgpu#token=join`);
    expect(
      await page.evaluate(async () => ({
        secure: isSecureContext,
        gpu: (await navigator.gpu.requestAdapter()) !== null,
      })),
    ).toEqual({ secure: true, gpu: true });
    await joined(page);
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, coordinator.authority!.pem);
    localWorkers = await startLocalWorkers({
      url: coordinator.url,
      token: 'join',
      ca: coordinator.authority!.pem,
      count: 2,
      runtime: ['node', 'deno'],
      device: 'cpu',
    });
    expect(coordinator.pool.workers().map(({ runtime, device }) => `${runtime} ${device.kind}`)).toEqual(
      expect.arrayContaining(['browser webgpu', 'node cpu', 'deno cpu']),
    );

    process.env['TABGRAD_CA'] = caFile;
    const links = new Set<string>();
    coordinator.pool.on((event) => {
      if (event.type !== 'message' || event.message.type !== 'ready') return;
      for (const { path } of event.message.links) links.add(path);
    });
    try {
      const result = await new GBDTTrainer({
        datasets: { train: flights(20_000) },
        labelColumn: 'is_late',
        params: { objective: 'binary:logistic', max_depth: 4 },
        numBoostRound: 3,
        scalingConfig: { numWorkers: 3, url: coordinator.url, token: 'admin' },
        runConfig: { name: 'https', storagePath: folder, verbose: 0 },
      }).fit();
      expect(result.metrics['train-logloss']).toBeLessThan(0.6);
      expect([...links]).toContain('direct');
    } finally {
      delete process.env['TABGRAD_CA'];
    }
  });
});

/** The tab has joined when the pool has it. */
async function joined(page: Page): Promise<void> {
  const isJoined = (): boolean => document.querySelector('#state')?.textContent === 'Waiting for work';
  await page.waitForFunction(isJoined, undefined, { timeout: 60_000 });
}

async function serverCertificate(url: string, ca: string): Promise<X509Certificate> {
  const { connect } = await import('node:tls');
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), ca }, () => {
      resolve(new X509Certificate(socket.getPeerX509Certificate()!.raw));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}
