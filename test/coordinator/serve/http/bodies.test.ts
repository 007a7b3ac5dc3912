import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import type { ServeRequest } from '../../../../shared/serve/serveRequest.ts';
import { makeServedModels, type ServedModels } from '../servedModels.ts';

const MAX_BODY_BYTES = 256 * 1024;
let models: ServedModels;
const serve = new Serve({ log: () => undefined });

/** Answers with what it reads of the body. */
class Mirror {
  call(request: ServeRequest): object {
    const isBytes = request.query.get('as') === 'bytes';
    return {
      read: isBytes ? [...request.bytes()] : request.text(),
      coding: request.headers['content-encoding'] ?? null,
    };
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly code: unknown;
  readonly headers: Headers;
}

async function post(
  body: string | Buffer,
  headers: Record<string, string> = {},
  place = '/',
): Promise<Answer> {
  const response = await fetch(serve.url + place, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await response.text();
  const { error } = JSON.parse(text) as { error?: { code?: string } };
  return { status: response.status, text, code: error?.code, headers: response.headers };
}

const row = '[{"distance":100,"hour":5,"carrier":"DL"}]';
/** "é" of Latin-1 where the carrier stands. */
const latin1 = Buffer.from('[{"distance":100,"hour":5,"carrier":"D\u00e9L"}]', 'latin1');

describe.each([1, 2])('with %d processes', (processes) => {
  beforeAll(async () => {
    models = makeServedModels();
    await serve.run(deployment(models.late.checkpoint), { port: 0, processes, maxBodyBytes: MAX_BODY_BYTES });
    await serve.run(deployment(Mirror), { name: 'mirror', routePrefix: '/mirror' });
  });
  afterAll(async () => {
    await serve.shutdown();
    models.remove();
  });

  describe('text of a body', () => {
    it('is refused where it is not UTF-8, and names the first byte that is not', async () => {
      for (const padding of [0, 100_000]) {
        const body = Buffer.concat([latin1, Buffer.alloc(padding, ' ')]);
        const { status, code, text } = await post(body);
        expect([status, code]).toEqual([400, 'BAD_REQUEST']);
        expect(text).toContain(`The body is not UTF-8: byte ${latin1.indexOf(0xe9)} is 0xe9.`);
      }
    });

    it.each([
      ['a continuation byte alone', [0x61, 0x80], 1],
      ['an overlong form', [0x61, 0xc0, 0x80], 1],
      ['a surrogate', [0x61, 0xed, 0xa0, 0x80], 1],
      ['a character that is cut off', [0xc3, 0xa9, 0xe2, 0x82], 2],
      ['a byte that is never UTF-8', [0xf0, 0x9f, 0x98, 0x80, 0xff], 4],
    ])('is refused for %s', async (_, bytes, at) => {
      const { text } = await post(Buffer.from(bytes));
      expect(text).toContain(`not UTF-8: byte ${at} is 0x${bytes[at]!.toString(16)}.`);
    });

    it('may begin with a byte order mark', async () => {
      const plain = await post(row);
      expect(await post(`\ufeff${row}`)).toMatchObject({ status: 200, text: plain.text });
      expect((await post(`\ufeff${row}${' '.repeat(100_000)}`)).text).toBe(plain.text);
      const tensors = JSON.stringify({
        inputs: [
          { name: 'distance', shape: [1], datatype: 'FP32', data: [100] },
          { name: 'hour', shape: [1], datatype: 'FP32', data: [5] },
          { name: 'carrier', shape: [1], datatype: 'BYTES', data: ['DL'] },
        ],
      });
      const place = '/v2/models/default/infer';
      expect((await post(`\ufeff${tensors}`, {}, place)).text).toBe((await post(tensors, {}, place)).text);
    });

    it('of another charset is refused for a model', async () => {
      for (const charset of ['latin-1', 'ISO-8859-1', '"utf-16le"', 'windows-1252']) {
        const answer = await post(latin1, { 'content-type': `application/json; charset=${charset}` });
        expect([answer.status, answer.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
      }
      for (const charset of ['utf-8', 'UTF-8', '"utf8"', 'us-ascii']) {
        const answer = await post(row, { 'content-type': `application/json; charset=${charset}` });
        expect(answer.status).toBe(200);
      }
    });

    it('is decoded by its charset for a class, which may have the bytes too', async () => {
      const headers = { 'content-type': 'text/plain; charset=latin1' };
      const bytes = Buffer.from('D\u00e9L', 'latin1');
      expect(JSON.parse((await post(bytes, headers, '/mirror')).text)).toMatchObject({ read: 'DéL' });
      const plain = { 'content-type': 'text/plain' };
      expect(JSON.parse((await post(bytes, plain, '/mirror?as=bytes')).text)).toMatchObject({
        read: [...bytes],
      });
      expect(await post(bytes, plain, '/mirror')).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
      const unknown = { 'content-type': 'text/plain; charset=klingon' };
      expect(await post(bytes, unknown, '/mirror')).toMatchObject({
        status: 415,
        code: 'MEDIA_TYPE_UNSUPPORTED',
      });
    });
  });

  describe('a compressed body', () => {
    const packers = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync };

    it.each(Object.entries(packers))('is unpacked: %s', async (coding, pack) => {
      const plain = await post(row);
      for (const body of [row, row + ' '.repeat(100_000)]) {
        const answer = await post(pack(body), { 'content-encoding': coding });
        expect(answer).toMatchObject({ status: 200, text: plain.text });
      }
      const mirrored = await post(
        pack('words'),
        { 'content-type': 'text/plain', 'content-encoding': coding },
        '/mirror',
      );
      expect(JSON.parse(mirrored.text)).toEqual({ read: 'words', coding: null });
    });

    it.each(Object.entries(packers))('that unpacks to too much is refused: %s', async (coding, pack) => {
      const packed = pack(Buffer.alloc(MAX_BODY_BYTES + 1, ' '));
      expect(packed.byteLength).toBeLessThan(1_000);
      const answer = await post(packed, { 'content-encoding': coding });
      expect([answer.status, answer.code]).toEqual([413, 'BODY_TOO_LARGE']);
      expect(answer.text).toContain(`its ${packed.byteLength} bytes of ${coding} unpack to more`);
    });

    it('that is none, or is cut off, is refused', async () => {
      for (const body of [Buffer.from(row), gzipSync(row).subarray(0, 20), Buffer.alloc(0)]) {
        const answer = await post(body, { 'content-encoding': 'gzip' });
        expect([answer.status, answer.code]).toEqual([400, 'BAD_REQUEST']);
      }
    });

    it('of an unknown coding is refused with those that are known', async () => {
      for (const coding of ['zstd', 'compress', 'gzip, gzip', 'constructor']) {
        const answer = await post(gzipSync(row), { 'content-encoding': coding });
        expect([answer.status, answer.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED']);
        expect(answer.headers.get('accept-encoding')).toBe('gzip, deflate, br');
      }
      expect((await post(row, { 'content-encoding': 'identity' })).status).toBe(200);
    });
  });

  /** Sends all of a request that announces `size` bytes, whatever comes back. */
  function sendAll(size: number, head: string, more = 0): Promise<{ error: string; answer: string }> {
    return new Promise((resolve) => {
      let error = '';
      let answer = '';
      let left = size + more;
      const block = Buffer.alloc(64 * 1024, ' ');
      const socket = connect(Number(new URL(serve.url!).port), '127.0.0.1');
      const send = (): void => {
        while (left > 0) {
          left -= block.byteLength;
          if (!socket.write(block)) {
            socket.once('drain', send);
            return;
          }
        }
        socket.end();
      };
      socket.on('error', (failure: NodeJS.ErrnoException) => (error = failure.code ?? ''));
      socket.on('data', (bytes) => (answer += bytes.toString('latin1')));
      socket.on('close', () => resolve({ error, answer }));
      socket.on('connect', () => {
        socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${size}\r\n${head}\r\n\r\n`);
        send();
      });
    });
  }

  describe('a client that sends on after it was refused', () => {
    it.each([
      ['too large', 'Connection: close', 413, 0],
      ['too large, and longer than announced', 'Connection: close', 413, 64 * 1024],
      ['of an unknown coding', 'Connection: close\r\nContent-Encoding: zstd', 415, 0],
    ])('gets to read why: a body that is %s', async (_, head, status, more) => {
      const { error, answer } = await sendAll(16 * 1024 * 1024, head, more);
      expect([error, answer.split('\r\n')[0]]).toEqual([
        '',
        expect.stringMatching(new RegExp(`^HTTP/1.1 ${status} `)),
      ]);
    });
  });
});
