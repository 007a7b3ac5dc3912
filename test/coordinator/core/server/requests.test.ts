// How requests are addressed and what their bodies may be, byte by byte: fetch would tidy them up.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';

let folder: string;
let coordinator: Coordinator;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'requests-'));
  coordinator = await startCoordinator({
    port: 0,
    storagePath: folder,
    adminToken: 'boss',
    log: () => undefined,
  });
});
afterAll(async () => {
  await coordinator.close();
  await rm(folder, { recursive: true });
});

interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

function ask(path: string, { headers = {}, body }: Asked = {}): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(coordinator.url);
  const method = body === undefined ? 'GET' : 'POST';
  const sent = { Authorization: 'Bearer boss', ...headers };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ hostname, port, path, method, headers: sent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('A target that is a whole address', () => {
  it('is its path', async () => {
    expect(await ask(`${coordinator.url}/healthz`)).toEqual({ status: 200, text: 'ok\n' });
    expect((await ask(`${coordinator.url}/api/v1/runs?limit=1`)).status).toBe(200);
    expect((await ask(coordinator.url)).status).toBe(200);
  });

  it('names the host, whatever the header says', async () => {
    const { host } = new URL(coordinator.url);
    for (const [target, header] of [
      ['http://elsewhere.example/healthz', host],
      ['/healthz', 'elsewhere.example'],
    ] as const) {
      const { status, text } = await ask(target, { headers: { host: header } });
      expect([status, text]).toEqual([403, expect.stringContaining('ORIGIN_REFUSED')]);
    }
    const own = await ask(`${coordinator.url}/healthz`, { headers: { host: 'elsewhere.example' } });
    expect(own.status).toBe(200);
  });

  it('is refused where it is no address of HTTP', async () => {
    const { status, text } = await ask('ftp://127.0.0.1/healthz');
    expect([status, text]).toEqual([400, expect.stringContaining('The request target is not a path')]);
  });
});

describe('A JSON body', () => {
  const path = '/api/v1/runs';

  it('may begin with a byte order mark', async () => {
    const plain = await ask(path, { body: '{}' });
    expect([plain.status, plain.text]).toEqual([400, expect.stringContaining('RUN_REQUEST_INVALID')]);
    expect(await ask(path, { body: '\ufeff{}' })).toEqual(plain);
  });

  it('is refused where it is compressed or no UTF-8, and says so', async () => {
    const packed = await ask(path, { body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } });
    expect([packed.status, packed.text]).toEqual([400, expect.stringContaining('content coding \\"gzip\\"')]);
    const latin1 = await ask(path, { body: Buffer.from('{"name":"\u00e9"}', 'latin1') });
    expect([latin1.status, latin1.text]).toEqual([
      400,
      expect.stringContaining('The body is not UTF-8: byte 9 is 0xe9.'),
    ]);
  });
});

describe('A request', () => {
  it('by a method that is not possible is told which are', async () => {
    const answer = await fetch(`${coordinator.url}/api/v1/bans`, { method: 'DELETE' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}$/);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
  });

  it('that asks before it sends its body is told to go on when it may, and not before', async () => {
    const asking = (token: string): Promise<[boolean, number]> => {
      const { hostname, port } = new URL(coordinator.url);
      const body = Buffer.from('bytes');
      const headers = {
        Authorization: `Bearer ${token}`,
        Expect: '100-continue',
        'Content-Length': body.byteLength,
      };
      const path = `/blobs/${createHash('sha256').update(body).digest('hex')}`;
      return new Promise((resolve, reject) => {
        let goesOn = false;
        const request = httpRequest({ hostname, port, path, method: 'PUT', headers }, (response) => {
          response.resume().on('end', () => resolve([goesOn, response.statusCode ?? 0]));
        });
        request.on('error', reject).on('continue', () => {
          goesOn = true;
          request.end(body);
        });
        request.flushHeaders();
      });
    };
    expect(await asking('wrong')).toEqual([false, 401]);
    expect(await asking('boss')).toEqual([true, 201]);
  });

  it('that is not HTTP is answered with a coded error', async () => {
    const { hostname, port } = new URL(coordinator.url);
    const socket = connect(Number(port), hostname);
    socket.write('no HTTP at all\r\n\r\n');
    let text = '';
    for await (const piece of socket) text += String(piece);
    expect(text).toMatch(/^HTTP\/1.1 400 Bad Request\r\n[^]*"code":"BAD_REQUEST"/);
  });
});
