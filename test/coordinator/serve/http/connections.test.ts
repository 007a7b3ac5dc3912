import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import { makeServedModels, type ServedModels } from '../servedModels.ts';

let models: ServedModels;
let processes = 1;
let release = (): void => undefined;

/** Answers when it is told to. */
class Slow {
  async call(): Promise<string> {
    await new Promise<void>((resolve) => (release = resolve));
    return 'done';
  }
}

const open: Serve[] = [];

async function started(): Promise<{ serve: Serve; port: number }> {
  const serve = new Serve({ log: () => undefined });
  open.push(serve);
  await serve.run(deployment(models.late.checkpoint), { port: 0, processes, headersTimeoutS: 0.5 });
  return { serve, port: Number(new URL(serve.url!).port) };
}

beforeAll(() => (models = makeServedModels()));
afterEach(async () => {
  await Promise.all(open.splice(0).map((serve) => serve.shutdown()));
});
afterAll(() => models.remove());

const row = '{"distance":1,"hour":2,"carrier":"AA"}';
const request = (target: string, ...headers: string[]): string =>
  [`POST ${target} HTTP/1.1`, `Content-Length: ${row.length}`, ...headers, '', row].join('\r\n');
const local = 'Host: 127.0.0.1';

class Client {
  text = '';
  readonly socket: Socket;
  readonly closed: Promise<string>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (bytes) => (this.text += bytes.toString('latin1')));
    this.closed = new Promise((resolve) => {
      this.socket.on('error', (error: NodeJS.ErrnoException) => (this.text += `\n${error.code}`));
      this.socket.on('close', () => resolve(this.text));
    });
  }

  get statuses(): string[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status!);
  }

  /** Resolves when as many answers have begun to come. */
  async answered(count: number): Promise<void> {
    while (this.statuses.length < count) await new Promise((resolve) => this.socket.once('data', resolve));
  }
}

describe.each([1, 2])('with %d processes', (count) => {
  beforeAll(() => void (processes = count));

  describe('what is no HTTP', () => {
    it.each([1, 3])('is refused after the answers to %d good requests before it', async (count) => {
      const { port } = await started();
      const client = new Client(port);
      client.socket.write(`${request('/', local).repeat(count)}GARBAGE\r\n\r\n`);
      await client.closed;
      expect(client.statuses).toEqual([...Array<string>(count).fill('200'), '400']);
      expect(client.text).toContain('"predictions"');
    });

    it('is refused after an answer that takes its time, and once', async () => {
      const { serve, port } = await started();
      await serve.run(deployment(Slow), { name: 'slow', routePrefix: '/slow' });
      const client = new Client(port);
      client.socket.write(`${request('/slow', local)}GARBAGE\r\n\r\n`);
      client.socket.write('MORE GARBAGE\r\n\r\n');
      const asked = async (): Promise<void> => {
        while (serve.status().applications['slow']!.deployments[0]!.ongoing === 0)
          await new Promise((resolve) => setImmediate(resolve));
      };
      await asked();
      expect(client.text).toBe('');
      release();
      await client.closed;
      expect(client.statuses).toEqual(['200', '400']);
    });

    it('is refused at once in the middle of a body', async () => {
      const { port } = await started();
      const client = new Client(port);
      client.socket.write(
        `${request('/', local)}POST / HTTP/1.1\r\n${local}\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
      );
      await client.closed;
      expect(client.statuses).toEqual(['200', '400']);
    });

    it('a head that does not end is refused after the answer before it', async () => {
      const { port } = await started();
      const client = new Client(port);
      client.socket.write(`${request('/', local)}POST / HTT`);
      await client.closed;
      expect(client.statuses).toEqual(['200', '408']);
    });
  });

  describe('a target that is a whole address', () => {
    it('is served by its path', async () => {
      const { port } = await started();
      for (const target of [
        `http://127.0.0.1:${port}/`,
        `http://localhost:${port}`,
        'HTTP://127.0.0.1/?a=1',
      ]) {
        const client = new Client(port);
        client.socket.write(request(target, local, 'Connection: close'));
        expect([target, (await client.closed).split('\r\n')[0]]).toEqual([target, 'HTTP/1.1 200 OK']);
      }
    });

    it('is refused by its own host, whatever the header says', async () => {
      const { port } = await started();
      for (const target of ['http://example.org/', 'http://127.0.0.1@example.org/', 'http:///']) {
        const client = new Client(port);
        client.socket.write(request(target, local, 'Connection: close'));
        expect([target, (await client.closed).split(' ')[1]]).toEqual([target, '403']);
      }
    });
  });

  describe('a server that stops', () => {
    it('tells callers that keep a connection to go, and resets none', async () => {
      const { serve, port } = await started();
      const clients = Array.from({ length: 8 }, () => new Client(port));
      for (const client of clients) {
        client.socket.on('data', () => client.socket.writable && client.socket.write(request('/', local)));
        client.socket.write(request('/', local));
      }
      await Promise.all(clients.map((client) => client.answered(20)));
      await serve.shutdown();
      for (const client of clients) {
        const text = await client.closed;
        const last = text.slice(text.lastIndexOf('HTTP/1.1'));
        expect(last).toMatch(/^HTTP\/1\.1 (200|503) [^]*\r\nConnection: close\r\n/);
        expect(text).not.toContain('ECONNRESET');
        expect(text.match(/Connection: close/g)).toHaveLength(1);
      }
    });

    it('answers what it has in hand, and closes that connection', async () => {
      const { serve, port } = await started();
      await serve.run(deployment(Slow), { name: 'slow', routePrefix: '/slow' });
      const client = new Client(port);
      client.socket.write(request('/slow', local));
      while (serve.status().applications['slow']!.deployments[0]!.ongoing === 0)
        await new Promise((resolve) => setImmediate(resolve));
      const stopped = serve.shutdown();
      release();
      const answer = await client.closed;
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK[^]*\r\n\r\ndone$/);
      // An acceptor may have begun the answer before it is told to stop.
      if (processes === 1) expect(answer).toContain('\r\nConnection: close\r\n');
      await stopped;
    });

    it('answers 503 for an application that has ended, while another still answers', async () => {
      const { serve, port } = await started();
      await serve.run(deployment(Slow), { name: 'slow', routePrefix: '/slow' });
      const kept = new Client(port);
      const slow = new Client(port);
      kept.socket.write(request('/', local));
      slow.socket.write(request('/slow', local));
      await kept.answered(1);
      while (serve.status().applications['slow']!.deployments[0]!.ongoing === 0)
        await new Promise((resolve) => setImmediate(resolve));
      const stopped = serve.shutdown();
      while (serve.status().applications['default']!.deployments.length > 0)
        await new Promise((resolve) => setImmediate(resolve));
      kept.socket.write(request('/', local));
      expect(await kept.closed).toContain('HTTP/1.1 503 Service Unavailable');
      release();
      expect(await slow.closed).toMatch(/done$/);
      await stopped;
    });

    it('does not wait for connections that are quiet', async () => {
      const { serve, port } = await started();
      const client = new Client(port);
      client.socket.write(request('/', local));
      await client.answered(1);
      const startedAt = performance.now();
      await serve.shutdown();
      await client.closed;
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    });
  });
});
