// The pages and blobs of a coordinator, and how it starts and closes.

import { createHash } from 'node:crypto';
import { access, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FolderBlobStore } from '../../../../coordinator/core/blobs/folderBlobStore.ts';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import type { RunRequest } from '../../../../coordinator/core/run/runRequest.ts';
import { servedCoordinator, hello, errorCode, nextMessage, whenClosed } from './servedCoordinator.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const world = servedCoordinator();

describe('coordinator', () => {
  describe('pages', () => {
    it('serves the join page and its assets, strictly', async () => {
      const page = await world.ask('/join');
      expect(page).toMatchObject({ status: 200, body: '<p>lend</p>' });
      expect(page.headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(page.headers['content-security-policy']).toContain("default-src 'self'");
      const asset = await world.ask('/assets/join-1a2b.js');
      expect(asset).toMatchObject({ status: 200, body: 'lend()' });
      expect(asset.headers['cache-control']).toContain('immutable');
    });

    it.each([
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/assets/..%2f..%2fsecret.txt',
      '/assets/%2e%2e/%2e%2e/secret.txt',
      '/assets/..\\..\\secret.txt',
      '//secret.txt',
      '/assets/',
      '/assets',
      '/%00',
      '/join.html',
    ])('serves nothing at %s', async (path) => {
      const reply = await world.ask(path);
      expect([reply.status, errorCode(reply)]).toEqual([404, 'NOT_FOUND']);
    });

    it('says what is wrong with a path that is none, and with a method that is not for it', async () => {
      const bad = await world.ask('*', { method: 'OPTIONS' });
      expect([bad.status, errorCode(bad)]).toEqual([400, 'BAD_REQUEST']);
      const method = await world.ask('/join', { method: 'POST', body: 'x' });
      expect([method.status, errorCode(method)]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    });

    it('says how to build the pages when they are missing', async () => {
      await world.coordinator.close();
      await rm(join(world.folder, 'page'), { recursive: true });
      await mkdir(join(world.folder, 'page'));
      await world.start();
      expect((await world.ask('/join')).status).toBe(404);
    });

    it('answers HEAD without a body', async () => {
      expect(await world.ask('/join', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
    });
  });

  describe('blobs', () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 1000 }, (_, i) => i & 255));

    it('takes, verifies and gives back', async () => {
      const path = `/blobs/${sha256(bytes)}`;
      const put = await world.ask(path, { method: 'PUT', body: bytes });
      expect(put.status).toBe(201);
      expect(JSON.parse(put.body)).toEqual({ sha256: sha256(bytes), sizeBytes: 1000 });
      expect((await world.ask(path, { method: 'PUT', body: bytes })).status).toBe(200);
      const got = await world.ask(path);
      expect(got.body).toBe(bytes.toString('latin1'));
      expect(got.headers).toMatchObject({
        etag: `"${sha256(bytes)}"`,
        'content-length': '1000',
        'cache-control': 'private, max-age=31536000, immutable',
      });
      expect((await world.ask(path, { headers: { 'If-None-Match': `"${sha256(bytes)}"` } })).status).toBe(
        304,
      );
    });

    it.each([
      ['bytes=0-0', 206, 'bytes 0-0/1000', 1],
      ['bytes=990-', 206, 'bytes 990-999/1000', 10],
      ['bytes=-5', 206, 'bytes 995-999/1000', 5],
      ['bytes=-5000', 206, 'bytes 0-999/1000', 1000],
      ['bytes=10-5000', 206, 'bytes 10-999/1000', 990],
      ['bytes=1000-', 416, 'bytes */1000', undefined],
      ['bytes=9-3', 416, 'bytes */1000', undefined],
      ['bytes=0-1,5-6', 200, undefined, 1000],
      ['lines=1-2', 200, undefined, 1000],
    ])('answers the range %s', async (range, status, contentRange, length) => {
      const { sha256: name } = await world.coordinator.blobs.putBytes(bytes);
      const reply = await world.ask(`/blobs/${name}`, { headers: { Range: range } });
      expect([reply.status, reply.headers['content-range']]).toEqual([status, contentRange]);
      if (length !== undefined) expect(reply.body).toHaveLength(length);
    });

    it('refuses bytes of another name and keeps nothing', async () => {
      const reply = await world.ask(`/blobs/${sha256('other')}`, { method: 'PUT', body: bytes });
      expect([reply.status, errorCode(reply)]).toEqual([422, 'BLOB_MISMATCH']);
      expect((await world.ask(`/blobs/${sha256('other')}`)).status).toBe(404);
    });

    it('refuses a blob that is too large, announced or not', async () => {
      await world.coordinator.close();
      await world.start({ maxBlobBytes: 500 });
      const path = `/blobs/${sha256(bytes)}`;
      const announced = await world.ask(path, { method: 'PUT', body: bytes });
      expect([announced.status, errorCode(announced)]).toEqual([413, 'BODY_TOO_LARGE']);
      const headers = { 'Transfer-Encoding': 'chunked' };
      const chunked = await world.ask(path, { method: 'PUT', headers, body: bytes });
      expect([chunked.status, errorCode(chunked)]).toEqual([413, 'BODY_TOO_LARGE']);
    });

    it('reads a blob again for who wants its digest, and drops one that lost bytes', async () => {
      const { sha256: name } = await world.coordinator.blobs.putBytes(bytes);
      const look = { method: 'HEAD', headers: { 'Want-Repr-Digest': 'sha-256=10' } };
      const digest = createHash('sha256').update(bytes).digest('base64');
      const whole = await world.ask(`/blobs/${name}`, look);
      expect([whole.status, whole.headers['repr-digest']]).toEqual([200, `sha-256=:${digest}:`]);
      await writeFile((world.coordinator.blobs as FolderBlobStore).pathOf(name), 'rotten');
      expect((await world.ask(`/blobs/${name}`, { method: 'HEAD' })).status).toBe(200);
      expect((await world.ask(`/blobs/${name}`, look)).status).toBe(404);
      expect((await world.ask(`/blobs/${name}`, { method: 'HEAD' })).status).toBe(404);
    });

    it.each(['nonsense', '..%2f..%2fsecret.txt', 'A'.repeat(64), 'a'.repeat(63)])(
      'refuses the name %s',
      async (name) => {
        const reply = await world.ask(`/blobs/${name}`);
        expect([reply.status, errorCode(reply)]).toEqual([400, 'BAD_REQUEST']);
      },
    );
  });

  describe('starting and closing', () => {
    it('names host and port when the port is in use', async () => {
      const port = Number(new URL(world.coordinator.url).port);
      await expect(startCoordinator({ port })).rejects.toMatchObject({
        code: 'PORT_IN_USE',
        message: `Port ${port} of 127.0.0.1 is in use. Stop the other program, or choose another port.`,
      });
    });

    it('says when it cannot listen on an address', async () => {
      // 192.0.2.0/24 is reserved for documentation (RFC 5737): no machine has it.
      await expect(startCoordinator({ port: 0, host: '192.0.2.1' })).rejects.toMatchObject({
        code: 'LISTEN_FAILED',
      });
    });

    it.each(['127.0.0.1', '0.0.0.0'])('makes tokens of its own when it listens on %s', async (host) => {
      await world.coordinator.close();
      await world.start({ host });
      const { admin, join, local } = world.coordinator.tokens;
      for (const token of [admin, join, local]) expect(token).toMatch(/^[\w-]{43}$/);
      expect(new Set([admin, join, local]).size).toBe(3);
      expect(new URL(world.coordinator.joinUrl).hash).toBe(`#token=${join}`);
      expect((await world.ask('/api/v1/status', { isStranger: true })).status).toBe(401);
      for (const token of [undefined, admin, 'guess']) {
        expect(await world.greet(world.openControl(), { ...hello, token })).toMatchObject({
          code: 'TOKEN_REQUIRED',
        });
      }
      for (const token of [join, local]) {
        expect(await world.greet(world.openControl(), { ...hello, token })).toMatchObject({
          type: 'welcome',
        });
      }
    });

    it('is known under its public URL', async () => {
      await world.coordinator.close();
      await world.start({ publicUrl: 'https://gpu.example/' });
      expect(world.coordinator.joinUrl).toBe(
        `https://gpu.example/join#token=${world.coordinator.tokens.join}`,
      );
      expect((await world.ask('/join', { headers: { Host: 'gpu.example' } })).status).toBe(200);
    });

    it('ends its runs with an error, says goodbye to workers and removes its temporary folder', async () => {
      const socket = world.openControl();
      await world.greet(socket);
      const { sha256: name } = await world.coordinator.blobs.putBytes(new Uint8Array(1));
      const run = world.coordinator.startRun({
        runId: 'r',
        name: 'r',
        spec: { trainer: 'gbdt', numBoostRound: 1 },
        shards: [{ dataset: 'train', index: 0, firstRow: 0, rows: 1, sha256: name, sizeBytes: 1 }],
        workers: { min: 2, max: 2 },
        maxFailures: 0,
      } as unknown as RunRequest);
      const goodbye = nextMessage(socket);
      const closed = whenClosed(socket);
      await Promise.all([world.coordinator.close(), world.coordinator.close()]);
      await expect(run.done).rejects.toMatchObject({ code: 'COORDINATOR_CLOSED' });
      expect(await goodbye).toMatchObject({ type: 'shutdown', reconnect: true });
      expect(await closed).toBe(1001);
      await expect(access(dirname(world.coordinator.blobs.place))).rejects.toMatchObject({ code: 'ENOENT' });
      expect(() => world.coordinator.startRun({} as unknown as RunRequest)).toThrow(
        'The coordinator is closed',
      );
    });

    it('keeps the blobs of a storage folder', async () => {
      await world.coordinator.close();
      await world.start({ storagePath: join(world.folder, 'storage') });
      const { sha256: name } = await world.coordinator.blobs.putBytes(new Uint8Array(5));
      await world.coordinator.close();
      await world.start({ storagePath: join(world.folder, 'storage') });
      expect((await world.ask(`/blobs/${name}`)).status).toBe(200);
    });
  });
});
