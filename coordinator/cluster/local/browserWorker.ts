// Opens worker tabs in a headless browser. Several tabs may share one browser: each has its own page and its own
// compute thread, as the tabs of a volunteer would.

import type { Browser, BrowserServer, Page } from 'playwright-core';
import { launchReport, type LaunchReport } from '../../../shared/protocol/launchReport.ts';
import { LAUNCH_REPORT_FUNCTION } from '../../../shared/protocol/runtimes.ts';
import { BoundedLog } from './boundedLog.ts';
import { launchBrowser, type BrowserOptions } from './launchBrowser.ts';
import { WorkerStartError } from './localErrors.ts';
import type { LocalWorker, LocalWorkerSettings } from '../../options/localWorker.ts';

const KEPT_LINES = 20;
/** A tab gives itself ten seconds to hand its rows over, and three to close. */
const STOP_TIMEOUT_MS = 14_000;
const CLOSE_TIMEOUT_MS = 5_000;

export interface LocalBrowser {
  readonly pid: number;
  /** @throws WorkerStartError when the tab crashes, is refused or does not join in time. */
  openWorker(settings: LocalWorkerSettings): Promise<LocalWorker>;
  /** Closes all tabs; the process is killed when it does not end by itself. Idempotent. */
  close(): Promise<void>;
}

/** Playwright is loaded by then: by the launch. */
async function connect(server: BrowserServer): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.connect(server.wsEndpoint());
}

/** @throws what launchBrowser throws. */
export async function openLocalBrowser(options: BrowserOptions): Promise<LocalBrowser> {
  const { server, remove } = await launchBrowser(options);
  const pid = server.process().pid ?? 0;
  const close = async (): Promise<void> => {
    const deadline = setTimeout(() => void server.kill(), CLOSE_TIMEOUT_MS);
    await server.close().finally(() => clearTimeout(deadline));
    await remove();
  };
  try {
    const browser = await connect(server);
    return { pid, openWorker: (settings) => openTab(browser, pid, settings), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The address of the page that joins without a click. */
function joinAddress({ url, device, threads, token, name }: LocalWorkerSettings): string {
  const address = new URL(`${url.replace(/\/+$/, '')}/join`);
  address.searchParams.set('auto', '1');
  address.searchParams.set('device', device);
  address.searchParams.set('threads', String(threads));
  if (name !== undefined) address.searchParams.set('name', name);
  if (token !== undefined) address.hash = new URLSearchParams({ token }).toString();
  return address.href;
}

async function openTab(browser: Browser, pid: number, settings: LocalWorkerSettings): Promise<LocalWorker> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const log = new BoundedLog(KEPT_LINES, settings.onLine);
  const ended = pageEnd(page, browser, log);
  const close = (): Promise<void> => within(context.close(), CLOSE_TIMEOUT_MS);
  const onEnded = (reason: string): void => {
    log.add(reason);
    void close();
  };
  try {
    const joined = await joinReport(page, { log, ended, onEnded }, settings);
    return {
      kind: 'browser',
      pid,
      workerId: joined.workerId,
      device: joined.device,
      ended,
      async stop() {
        // The page's own way of leaving, as if the volunteer had pressed the button.
        const left = page.evaluate(() => globalThis.dispatchEvent(new Event('tabgrad-leave')));
        await within(
          left.then(() => ended),
          STOP_TIMEOUT_MS,
        );
        await close();
      },
      kill: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

interface TabLife {
  readonly log: BoundedLog;
  readonly ended: Promise<string>;
  /** The worker in the tab has ended, and with it the reason for the tab. */
  readonly onEnded: (reason: string) => void;
}

type Joined = Extract<LaunchReport, { event: 'joined' }>;

function joinReport(
  page: Page,
  { log, ended, onEnded }: TabLife,
  settings: LocalWorkerSettings,
): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const fail = (what: string): void => {
      const said = log.text === '' ? '' : ` It last said:\n${log.text}`;
      reject(new WorkerStartError(`The local browser worker ${what} (${settings.url}).${said}`));
    };
    const { joinTimeoutMs, signal } = settings;
    const timer = setTimeout(() => fail(`did not join within ${joinTimeoutMs} ms`), joinTimeoutMs);
    signal?.addEventListener('abort', () => fail('was withdrawn before it had joined'), { once: true });
    void ended.then((how) => fail(`ended before it had joined (${how})`));
    const open = async (): Promise<void> => {
      await page.exposeFunction(LAUNCH_REPORT_FUNCTION, (value: unknown) => {
        const report = launchReport.safeParse(value).data;
        if (report?.event === 'joined') {
          clearTimeout(timer);
          resolve(report);
        } else if (report?.event === 'ended') {
          clearTimeout(timer);
          fail(`ended before it had joined: ${report.reason}`);
          onEnded(`${report.kind}: ${report.reason}`);
        }
      });
      const response = await page.goto(joinAddress(settings), { timeout: joinTimeoutMs });
      if (response?.ok() !== true) fail(`found no join page: status ${response?.status() ?? 'unknown'}`);
    };
    open().catch((error: unknown) => {
      clearTimeout(timer);
      fail(withoutToken(error instanceof Error ? error.message : String(error), settings));
    });
  });
}

/** Playwright's errors have the whole address in them. */
function withoutToken(text: string, settings: LocalWorkerSettings): string {
  const { hash } = new URL(joinAddress(settings));
  return hash === '' ? text : text.replaceAll(hash, '');
}

/** What a page reports of itself goes to the log; the promise resolves when there is no page any more. */
function pageEnd(page: Page, browser: Browser, log: BoundedLog): Promise<string> {
  page.on('console', (message) => {
    if (['error', 'warning', 'info'].includes(message.type())) log.add(message.text());
  });
  page.on('pageerror', (error) => log.add(`uncaught: ${error.message}`));
  return new Promise((resolve) => {
    page.once('crash', () => resolve('the tab crashed'));
    page.once('close', () => resolve('the tab was closed'));
    browser.once('disconnected', () => resolve('the browser ended'));
  });
}

/** Waits for work whose outcome doesn't matter, as long as it ends in time. */
async function within(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([work.catch(() => {}), deadline]);
  clearTimeout(timer);
}
