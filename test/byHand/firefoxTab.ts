// Firefox without a window, steered by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/): it opens the join page and lends.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';

const START_MS = 60_000;
const ANSWER_MS = 30_000;

interface Answer {
  readonly id?: number;
  readonly type: string;
  readonly message?: string;
  readonly result?: unknown;
}

/** @param executable e.g. "firefox-esr". @returns ends the browser. */
export async function lendFirefox(executable: string, joinUrl: string): Promise<() => Promise<void>> {
  const profile = await mkdtemp(join(tmpdir(), 'tabgrad-firefox-'));
  const child = spawn(
    executable,
    ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exit = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill();
    await exit;
    await rm(profile, { recursive: true, force: true });
  };
  try {
    const socket = new WebSocket(`${await addressOf(child.stderr)}/session`);
    await once(socket, 'open', { signal: AbortSignal.timeout(START_MS) });
    const ask = caller(socket);
    await ask('session.new', { capabilities: {} });
    const { contexts } = (await ask('browsingContext.getTree', {})) as { contexts: { context: string }[] };
    const context = contexts[0]!.context;
    await ask('browsingContext.navigate', { context, url: joinUrl, wait: 'complete' });
    const expression = `new Promise((resolve) => {
      const wait = setInterval(() => {
        const button = document.querySelector('#join');
        if (!button) return;
        clearInterval(wait);
        button.click();
        resolve('clicked');
      }, 100);
    })`;
    await ask('script.evaluate', { expression, target: { context }, awaitPromise: true });
    return close;
  } catch (error) {
    await close();
    throw error;
  }
}

async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const signal = AbortSignal.timeout(START_MS);
  for await (const line of createInterface({ input: stderr, signal })) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error('Firefox does not say where it listens');
}

function caller(socket: WebSocket): (method: string, params: object) => Promise<unknown> {
  let last = 0;
  return async (method, params) => {
    const id = (last += 1);
    socket.send(JSON.stringify({ id, method, params }));
    const signal = AbortSignal.timeout(ANSWER_MS);
    for (;;) {
      const [data] = (await once(socket, 'message', { signal })) as [Buffer];
      const answer = JSON.parse(data.toString('utf8')) as Answer;
      if (answer.id !== id) continue;
      if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`);
      return answer.result;
    }
  };
}
