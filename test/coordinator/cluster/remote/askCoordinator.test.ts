import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  askCoordinator,
  askForJson,
  type CoordinatorAddress,
} from '../../../../coordinator/cluster/remote/askCoordinator.ts';

let close: () => Promise<void> = () => Promise.resolve();
afterEach(() => close());

/** The address of a server that answers every request alike. */
async function answering(answer: (response: ServerResponse) => void): Promise<CoordinatorAddress> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, token: undefined, signal: new AbortController().signal };
}

const form = z.object({ rounds: z.number() });

describe('asking a coordinator elsewhere', () => {
  it('gives an answer of the form that was asked for', async () => {
    const address = await answering((response) => response.end('{"rounds":3,"new":true}'));
    expect(await askForJson(address, 'x', form)).toEqual({ rounds: 3 });
  });

  it.each(['{"rounds":"3"}', '{"rounds":', 'null', ''])('takes %j for no coordinator', async (text) => {
    const address = await answering((response) => response.end(text));
    await expect(askForJson(address, 'x', form)).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
      message: expect.stringContaining(`status 200, ${text}`) as string,
    });
  });

  it.each([
    ['a code of ours', '{"error":{"code":"RUN_UNKNOWN","message":"no run"}}', 'RUN_UNKNOWN'],
    ['a code of a newer version', '{"error":{"code":"FROM_LATER","message":"no run"}}', 'INTERNAL'],
    ['a name that every object has', '{"error":{"code":"toString","message":"no run"}}', 'INTERNAL'],
    ['a code that is no text', '{"error":{"code":7,"message":"no run"}}', 'COORDINATOR_UNREACHABLE'],
    ['no error in it', '{"error":null}', 'COORDINATOR_UNREACHABLE'],
    ['null', 'null', 'COORDINATOR_UNREACHABLE'],
  ])('reports a refusal with %s', async (_, text, code) => {
    const address = await answering((response) => response.writeHead(404).end(text));
    const message = expect.stringContaining('no run') as string;
    const expected = code === 'COORDINATOR_UNREACHABLE' ? { code } : { code, message };
    await expect(askForJson(address, 'x', form)).rejects.toMatchObject(expected);
    await expect(askCoordinator(address, 'x')).rejects.toMatchObject(expected);
    expect((await askCoordinator(address, 'x', { accept: [404] })).status).toBe(404);
  });

  it('gives up an answer that never comes, and one that never ends', async () => {
    const silent = await answering(() => undefined);
    const expected = {
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringContaining('GET x within 50 ms') as string,
    };
    await expect(askCoordinator(silent, 'x', { timeoutMs: 50 })).rejects.toMatchObject(expected);
    await close();
    const endless = await answering((response) => response.write('{"rounds":'));
    await expect(askForJson(endless, 'x', form, { timeoutMs: 50 })).rejects.toMatchObject(expected);
  });

  describe('that redirects', () => {
    const token = 'marked-admin-token';

    it('follows within its address, with the token', async () => {
      const tokens: unknown[] = [];
      const address = await answering((response) => {
        tokens.push(response.req.headers.authorization);
        if (response.req.url === '/x') response.writeHead(307, { location: '/y' }).end();
        else response.end('{"rounds":3}');
      });
      expect(await askForJson({ ...address, token }, 'x', form, { method: 'POST', json: {} })).toEqual({
        rounds: 3,
      });
      expect(tokens).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
    });

    it.each([
      ['another port', () => 'http://127.0.0.1:1/x', 'GET', 307],
      ['another name of it', (url: string) => url.replace('127.0.0.1', 'localhost'), 'GET', 302],
      ['https', (url: string) => url.replace('http:', 'https:'), 'GET', 301],
      ['its own address by a status that makes a GET of it', () => '/y', 'POST', 302],
    ] as const)('sends nothing to %s, and names both addresses', async (_, target, method, status) => {
      const asked: string[] = [];
      const address = await answering((response) => {
        asked.push(`${response.req.method} ${response.req.url}`);
        response.writeHead(status, { location: target(address.url) }).end();
      });
      const error = await askCoordinator({ ...address, token }, 'x', { method }).catch((e: unknown) => e);
      const named = new URL(target(address.url), address.url);
      expect(error).toMatchObject({
        code: 'REDIRECT_REFUSED',
        message: `${address.url} redirects ${method} /x to ${named.origin}${named.pathname} (status ${status}), which is not followed. Give the coordinator's own address.`,
      });
      expect(asked).toEqual([`${method} /x`]);
    });

    it('is given up after ten redirects', async () => {
      let asked = 0;
      const address = await answering((response) => {
        asked += 1;
        response.writeHead(307, { location: '/x' }).end();
      });
      await expect(askCoordinator({ ...address, token }, 'x')).rejects.toMatchObject({
        code: 'REDIRECT_REFUSED',
        message: expect.stringContaining('one redirect more than 10') as string,
      });
      expect(asked).toBe(11);
    });
  });

  describe('that is out of reach for a while', () => {
    const pauses: number[] = [];
    const patience = {
      outageMs: 20_000,
      pause: (ms: number): Promise<void> => {
        pauses.push(ms);
        return Promise.resolve();
      },
    };
    beforeEach(() => void (pauses.length = 0));

    /** Answers as each of `answers` says, one request after the other. */
    const inTurn = (...answers: ((response: ServerResponse) => void)[]): Promise<CoordinatorAddress> =>
      answering((response) => answers.shift()!(response));
    const lost = (response: ServerResponse): void => void response.destroy();
    const closed = (response: ServerResponse): void =>
      void response.writeHead(503).end('{"error":{"code":"COORDINATOR_CLOSED","message":"it closes"}}');
    const proxied = (response: ServerResponse): void => void response.writeHead(502).end('<h1>Bad Gateway');
    const cut = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('{"rounds"', () => response.destroy());
    };
    const good = (response: ServerResponse): void => void response.end('{"rounds":3}');

    it('is asked again, at longer and longer intervals', async () => {
      const address = await inTurn(lost, closed, proxied, cut, lost, lost, lost, good);
      expect(await askForJson(address, 'x', form, { method: 'POST', json: {}, patience })).toEqual({
        rounds: 3,
      });
      expect(pauses).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    });

    it('is given up after the time that was stated', async () => {
      const address = await answering(lost);
      await expect(askCoordinator(address, 'x', { patience })).rejects.toMatchObject({
        code: 'COORDINATOR_UNREACHABLE',
        message: expect.stringMatching(
          /^The coordinator at http:.* has been out of reach for 20 s; GET x was given up\. The last attempt: /,
        ) as string,
      });
      expect(pauses.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 5000]);
      expect(pauses.reduce((sum, ms) => sum + ms)).toBeLessThanOrEqual(20_000);
    });

    it.each([
      ['a refusal', 404, '{"error":{"code":"RUN_UNKNOWN","message":"no run"}}'],
      ['a wrong token', 401, '{"error":{"code":"TOKEN_REQUIRED","message":"wrong"}}'],
      ['what is no coordinator', 404, '<h1>Not found'],
      ['what is no coordinator, with 200', 200, '<h1>Hello'],
    ])('takes %s for an answer', async (_, status, text) => {
      const address = await answering((response) => response.writeHead(status).end(text));
      await expect(askForJson(address, 'x', form, { patience })).rejects.toThrow();
      expect(pauses).toEqual([]);
    });

    it('is not waited for when the request is called off', async () => {
      const calledOff = new AbortController();
      const address = await answering((response) => {
        response.destroy();
        setImmediate(() => calledOff.abort());
      });
      const asked = askCoordinator({ ...address, signal: calledOff.signal }, 'x', {
        patience: { outageMs: 600_000 },
      });
      await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
    });
  });

  it('ends when it is called off', async () => {
    const calledOff = new AbortController();
    const address = await answering(() => calledOff.abort());
    await expect(askForJson({ ...address, signal: calledOff.signal }, 'x', form)).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });

  it('says why nobody answers', async () => {
    const address = await answering(() => undefined);
    await close();
    await expect(askCoordinator(address, 'x')).rejects.toMatchObject({
      code: 'COORDINATOR_UNREACHABLE',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });
});
