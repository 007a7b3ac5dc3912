// What bodies of requests may take in memory together: arriving, in line, and at the replicas.

import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import type { ServeRequest } from '../../../shared/serve/serveRequest.ts';
import { readDeploymentOptions } from '../../../coordinator/serve/deployment/deployment.ts';

const MEBIBYTE = 1024 * 1024;

/** Answers when the test lets it, with the length of what it got. */
class Gate {
  static waiting: (() => void)[] = [];
  static came: () => void = () => undefined;

  async call(request: ServeRequest): Promise<number> {
    await new Promise<void>((resolve) => {
      Gate.waiting.push(resolve);
      Gate.came();
    });
    return request.text().length;
  }

  static open(): void {
    for (const resolve of Gate.waiting.splice(0)) resolve();
  }

  static async reached(count: number): Promise<void> {
    while (Gate.waiting.length < count) await new Promise<void>((resolve) => (Gate.came = resolve));
  }
}

it('a line of requests has an end by default', () => {
  expect(readDeploymentOptions({}).maxQueuedRequests).toBe(4096);
  expect(readDeploymentOptions({ maxQueuedRequests: -1 }).maxQueuedRequests).toBe(-1);
});

describe('bodies of all requests together', () => {
  let serve: Serve;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    Gate.waiting = [];
    serve = new Serve();
    await serve.run(deployment(Gate, { maxOngoingRequests: 2, gracefulShutdownTimeoutS: 0 }), {
      port: 0,
      maxBodyBytes: 4 * MEBIBYTE,
      maxHeldBodyBytes: 6 * MEBIBYTE,
    });
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    Gate.open();
    await serve.shutdown();
  });

  const post = (bytes: number): Promise<Response> =>
    fetch(serve.url!, { method: 'POST', body: 'x'.repeat(bytes), headers: { 'content-type': 'text/plain' } });

  /** Sends a head and a part of a body. @returns what the server answers, when it does. */
  function begin(announcedBytes: number, sentBytes: number): Promise<string> {
    const { hostname, port } = new URL(serve.url!);
    const socket = connect(Number(port), hostname);
    sockets.push(socket);
    socket.on('error', () => undefined);
    const head = ['POST / HTTP/1.1', 'Host: localhost', 'Content-Type: text/plain'];
    socket.write(`${head.join('\r\n')}\r\nContent-Length: ${announcedBytes}\r\n\r\n`);
    socket.write('x'.repeat(sentBytes));
    return new Promise((resolve) => {
      let answer = '';
      socket.on('data', (data: Buffer) => {
        answer += data.toString();
        if (answer.includes('requestId')) resolve(answer);
      });
      socket.once('close', () => resolve(answer));
    });
  }

  it('are answered as long as they fit', async () => {
    const answers = [post(3 * MEBIBYTE), post(2 * MEBIBYTE)];
    await Gate.reached(2);
    Gate.open();
    expect(await Promise.all(answers.map(async (one) => (await one).text()))).toEqual([
      String(3 * MEBIBYTE),
      String(2 * MEBIBYTE),
    ]);
  });

  it('have the largest given up when they do not, whether it is arriving or in hand', async () => {
    const inHand = post(3 * MEBIBYTE);
    await Gate.reached(1);
    const arriving = begin(4 * MEBIBYTE, 3.5 * MEBIBYTE);
    expect(await arriving).toMatch(
      /^HTTP\/1\.1 429 .*Retry-After: 1\r\n.*"code":"SERVE_OVERLOADED","message":"The bodies of all requests in hand may have 6291456 bytes together, and this is one of the largest\. Try again later\."/is,
    );
    const smaller = begin(4 * MEBIBYTE, 2 * MEBIBYTE);
    const alsoSmaller = begin(4 * MEBIBYTE, 2 * MEBIBYTE);
    const lost = await inHand;
    expect([lost.status, lost.headers.get('retry-after')]).toEqual([429, '1']);
    const next = post(1.5 * MEBIBYTE);
    await Gate.reached(2);
    Gate.open();
    expect(await (await next).text()).toBe(String(1.5 * MEBIBYTE));
    sockets.forEach((socket) => socket.destroy());
    expect([await smaller, await alsoSmaller]).toEqual(['', '']);
  });

  it('leave room for small requests whatever large ones hold', async () => {
    for (let i = 0; i < 5; i++) void begin(4 * MEBIBYTE, 3.5 * MEBIBYTE);
    const small = post(1_000);
    await Gate.reached(1);
    Gate.open();
    expect(await (await small).text()).toBe('1000');
  });

  it('give their room back with the answer', async () => {
    for (let i = 0; i < 4; i++) {
      const answer = post(4 * MEBIBYTE);
      await Gate.reached(1);
      Gate.open();
      expect((await answer).status).toBe(200);
    }
  });

  it('must have room for one of the largest', async () => {
    await serve.shutdown();
    await expect(
      serve.run(deployment(Gate), { port: 0, maxBodyBytes: 2 * MEBIBYTE, maxHeldBodyBytes: MEBIBYTE }),
    ).rejects.toMatchObject({
      code: 'SERVE_ARGUMENT',
      place: { field: 'maxHeldBodyBytes' },
      message:
        'maxHeldBodyBytes is 1048576; expected at least maxBodyBytes (2097152): a body of that size would never fit.',
    });
  });
});
