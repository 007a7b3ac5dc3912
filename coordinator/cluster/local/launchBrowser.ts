// Starts the headless browser of local worker tabs: in its sandbox, with few variables of this process's environment.

import type { BrowserServer } from 'playwright-core';
import { messageOf } from '../../../shared/text/messageOf.ts';
import {
  BrowserSandboxError,
  sandboxAdvice,
  sandboxComplaint,
  type SandboxPolicy,
} from './browserSandbox.ts';
import { BrowserMissingError } from './chromium.ts';
import { findBrowser, type FoundBrowser } from './findBrowser.ts';
import type { LocalDevice } from '../../options/localWorker.ts';
import { isLinuxRoot, prepareUnprivileged, type UnprivilegedBrowser } from './unprivilegedBrowser.ts';
import { workerEnvironment } from './workerEnvironment.ts';

export interface BrowserOptions {
  /** What tabs will be asked to compute on. */
  readonly device: LocalDevice;
  readonly softwareGpu: boolean;
  /** There is something that a Vulkan driver could use. */
  readonly hasGpu: boolean;
  readonly sandbox: SandboxPolicy;
  /** Names of variables that it gets besides those that all browsers get. */
  readonly extraVariables: readonly string[];
  /** SHA-256 of public keys in base64: servers that prove to have one are trusted, whatever authority signed their certificate. */
  readonly trustedKeys?: readonly string[];
  /** What its owner should hear of. */
  readonly warn: (line: string) => void;
  readonly log: (line: string) => void;
}

export interface LaunchedBrowser {
  readonly server: BrowserServer;
  /** Deletes what it leaves; for after its end. */
  readonly remove: () => Promise<void>;
}

/** Playwright's own flags already switch updates, sync and background traffic off; these come on top. */
const flags = [
  '--no-default-browser-check',
  '--no-pings',
  '--disable-domain-reliability',
  '--disable-component-update',
  '--mute-audio',
];
const softwareGpuFlag = '--use-webgpu-adapter=swiftshader';
const unsafeWebgpuFlag = '--enable-unsafe-webgpu';

const LAUNCH_TIMEOUT_MS = 30_000;

/**
 * @throws BrowserSandboxError when the sandbox is a must and can't be had; BrowserMissingError when there is no browser, or
 *   it does not start.
 */
export async function launchBrowser(options: BrowserOptions): Promise<LaunchedBrowser> {
  const found = await findBrowser();
  const start: Start = { found, args: argumentsOf(options), extraVariables: options.extraVariables };
  if (options.sandbox === 'off') {
    options.warn('The browser runs without its sandbox, as it was told to.');
    return launch(start, undefined);
  }
  try {
    const account = isLinuxRoot() ? await prepareUnprivileged(found.executablePath) : undefined;
    return await launch(start, { account });
  } catch (error) {
    if (options.sandbox === 'required') throw sandboxFailure(error);
    // A browser that does not start at all fails again, with the error that counts.
    const launched = await launch(start, undefined);
    options.warn(
      'The browser runs without its sandbox, since this machine does not give it one and the coordinator is your own: ' +
        whyNot(error),
    );
    return launched;
  }
}

interface Start {
  readonly found: FoundBrowser;
  readonly args: string[];
  readonly extraVariables: readonly string[];
}

/** @param sandbox none, or under this or another account. */
async function launch(
  { found: { executablePath, environment }, args, extraVariables }: Start,
  sandbox: { readonly account: UnprivilegedBrowser | undefined } | undefined,
): Promise<LaunchedBrowser> {
  const account = sandbox?.account;
  const remove = account?.remove ?? ((): Promise<void> => Promise.resolve());
  // Loaded here: most coordinators never open a browser.
  const { chromium } = await import('playwright-core');
  try {
    const server = await chromium.launchServer({
      executablePath: account?.executablePath ?? executablePath,
      headless: true,
      chromiumSandbox: sandbox !== undefined,
      args,
      env: {
        ...workerEnvironment(process.env, extraVariables),
        ...environment,
        ...account?.environment,
      },
      timeout: LAUNCH_TIMEOUT_MS,
      host: '127.0.0.1',
      // The code that started the workers decides what a signal means.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    account?.removeAtExit();
    return { server, remove };
  } catch (cause) {
    await remove();
    throw new BrowserMissingError(
      `The browser ${executablePath} does not start: ${messageOf(cause)}`,
      { file: executablePath },
      { cause },
    );
  }
}

function argumentsOf({ device, softwareGpu, hasGpu, trustedKeys = [], log }: BrowserOptions): string[] {
  // Chromium gives WebGPU on Linux to few real adapters, and to software ones nowhere, unless it is told to.
  const isUnsafe = device !== 'cpu' && (softwareGpu || (process.platform === 'linux' && hasGpu));
  if (isUnsafe) log(`WebGPU is switched on with ${unsafeWebgpuFlag}.`);
  return [
    ...flags,
    ...(isUnsafe ? [unsafeWebgpuFlag] : []),
    ...(softwareGpu ? [softwareGpuFlag] : []),
    ...(trustedKeys.length > 0 ? [`--ignore-certificate-errors-spki-list=${trustedKeys.join(',')}`] : []),
  ];
}

function sandboxFailure(error: unknown): unknown {
  if (!(error instanceof BrowserSandboxError) && sandboxComplaint(error) === undefined) return error;
  return new BrowserSandboxError(
    `The page of a coordinator elsewhere is opened inside the browser's sandbox alone, which can't be had: ${whyNot(error)}`,
    {},
    { cause: error },
  );
}

function whyNot(error: unknown): string {
  if (error instanceof BrowserSandboxError) return error.message;
  const complaint = sandboxComplaint(error);
  return `${complaint === undefined ? '' : `"${complaint}". `}${sandboxAdvice()}`;
}
