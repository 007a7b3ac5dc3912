// Which browser local worker tabs are opened in: the one that the user names, else an installed Chrome or Chromium,
// else the one from npm.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BrowserMissingError, unpackChromium } from './chromium.ts';

export interface FoundBrowser {
  readonly executablePath: string;
  /** Variables that its process needs beside the usual ones. */
  readonly environment: Readonly<Record<string, string>>;
}

const namesOnPath = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser'];

/** Places of browsers that are not on PATH. */
const usualPlaces: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['/opt/google/chrome/chrome', '/usr/lib/chromium/chromium', '/snap/bin/chromium'],
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
};

/** @throws BrowserMissingError when TABGRAD_BROWSER names no file, or there is no browser at all. */
export async function findBrowser(env: NodeJS.ProcessEnv = process.env): Promise<FoundBrowser> {
  const named = env['TABGRAD_BROWSER'];
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return { executablePath: named, environment: {} };
    throw new BrowserMissingError(
      `TABGRAD_BROWSER is ${named}, which is not there; expected the path of a Chrome or Chromium executable.`,
      { file: named },
    );
  }
  const onPath = (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .flatMap((folder) => namesOnPath.map((name) => join(folder, name)));
  const installed = [...onPath, ...(usualPlaces[process.platform] ?? [])].find((file) => existsSync(file));
  if (installed !== undefined) return { executablePath: installed, environment: {} };
  const { executablePath, libraryPath, fontsPath } = await unpackChromium();
  return {
    executablePath,
    environment: { LD_LIBRARY_PATH: libraryPath, FONTCONFIG_PATH: fontsPath },
  };
}
