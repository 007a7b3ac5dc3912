// Sockets of workers and signalling at a real server, also slow and broken ones.

import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  servedCoordinator,
  hello,
  nextMessage,
  whenOpen,
  whenClosed,
  refusalStatus,
} from './servedCoordinator.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

const world = servedCoordinator();

describe('sockets of a coordinator', () => {
  describe('control sockets', () => {
    it('welcome a worker and count their bytes as control', async () => {
      expect(await world.greet(world.openControl())).toMatchObject({ type: 'welcome' });
      const { control, relay, signalling, blobs } = world.coordinator.traffic();
      expect(control.sentBytes).toBeGreaterThan(150);
      expect(control.receivedBytes).toBeGreaterThan(150);
      for (const idle of [relay, signalling, blobs]) expect(idle).toEqual({ sentBytes: 0, receivedBytes: 0 });
    });

    it('refuse malformed JSON with a code', async () => {
      const socket = world.openControl();
      const closed = whenClosed(socket);
      expect(await world.greet(socket, '{"type":')).toMatchObject({ type: 'refused', code: 'BAD_REQUEST' });
      expect(await closed).toBe(1008);
    });

    it('refuse binary messages and messages that are too large', async () => {
      const binary = world.openControl();
      await whenOpen(binary);
      binary.send(Buffer.from('{}'));
      expect(await whenClosed(binary)).toBe(1008);
      const large = world.openControl();
      await world.greet(large);
      large.send('x'.repeat(64 * 1024 + 1));
      // Cut off, without a word to who might not listen.
      expect(await whenClosed(large)).toBe(1006);
    });

    it('refuse a wrong token, and none', async () => {
      await world.coordinator.close();
      await world.start({ joinToken: 'open sesame' });
      expect(world.coordinator.joinUrl).toBe(`${world.coordinator.url}/join#token=open%20sesame`);
      expect(await world.greet(world.openControl(), hello)).toMatchObject({ code: 'TOKEN_REQUIRED' });
      expect(await world.greet(world.openControl(), { ...hello, token: 'sesame' })).toMatchObject({
        code: 'TOKEN_REQUIRED',
      });
      expect(await world.greet(world.openControl(), { ...hello, token: 'open sesame' })).toMatchObject({
        type: 'welcome',
      });
    });

    it('refuse pages of other origins, and names that are not ours', async () => {
      expect(await refusalStatus(world.openControl({ Origin: 'https://evil.example' }))).toBe(403);
      expect(await refusalStatus(world.openControl({ Origin: 'null' }))).toBe(403);
      // A page of evil.example whose name now points to this machine (DNS rebinding).
      expect(
        await refusalStatus(world.openControl({ Origin: 'http://evil.example', Host: 'evil.example' })),
      ).toBe(403);
      expect(await world.greet(world.openControl({ Origin: world.coordinator.url }))).toMatchObject({
        type: 'welcome',
      });
    });

    it('are served at their own paths only', async () => {
      expect(await refusalStatus(world.openControl({}, '/'))).toBe(404);
      expect(await refusalStatus(world.openControl({}, '/controls'))).toBe(404);
    });

    it('let only known workers signal', async () => {
      interface Welcome {
        readonly workerId: string;
        readonly secret: string;
        readonly signallingToken: string;
      }
      const welcome = (await world.greet(world.openControl())) as unknown as Welcome;
      const other = (await world.greet(world.openControl())) as unknown as Welcome;
      const path = (token: string, id = welcome.workerId): string =>
        `/peerjs/peerjs?key=tabgrad&id=${id}&token=${token}`;
      for (const wrong of [
        path('guess'),
        path(welcome.secret),
        path(other.signallingToken),
        // The first values are checked by one reader, the last ones used by another.
        `${path(other.signallingToken, other.workerId)}&id=${welcome.workerId}&token=any`,
        `${path('any')}&id=${other.workerId}&token=${other.signallingToken}`,
        '/peerjs/peerjs?key=wrong&id=a&token=b',
      ]) {
        const stranger = world.openControl({}, wrong);
        const closed = whenClosed(stranger);
        expect(await nextMessage(stranger)).toMatchObject({ type: 'ERROR' });
        await closed;
      }
      expect(await nextMessage(world.openControl({}, path(welcome.signallingToken)))).toEqual({
        type: 'OPEN',
      });
      expect(world.coordinator.traffic().signalling.sentBytes).toBeGreaterThan(0);
    });
  });

  describe('slow and broken clients', () => {
    beforeEach(async () => {
      await world.coordinator.close();
      await world.start({ timeouts: { headersMs: 300, idleMs: 300 } });
    });

    /** Sends raw text and resolves with all that comes back until the server hangs up. */
    function raw(text: string): Promise<string> {
      return new Promise((resolve, reject) => {
        const { hostname, port } = new URL(world.coordinator.url);
        const socket = connect(Number(port), hostname, () => socket.write(text));
        let answer = '';
        socket.on('data', (data: Buffer) => (answer += data.toString()));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      });
    }

    it('cuts off who never ends the headers', async () => {
      expect(await raw('GET /join HTTP/1.1\r\nHost: localhost\r\nX-Slow: ')).toMatch(
        /^(HTTP\/1\.1 408 .*|$)/s,
      );
    });

    it('cuts off who never ends the body, and keeps nothing of it', async () => {
      const name = sha256('x');
      const head = `PUT /blobs/${name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${world.coordinator.tokens.admin}`;
      await raw(`${head}\r\nContent-Length: 100\r\n\r\nhalf`);
      expect(await world.coordinator.blobs.has(name)).toBe(false);
    });

    it('answers what is not HTTP with an error and goes on', async () => {
      expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
      expect((await world.ask('/healthz')).body).toBe('ok\n');
    });

    it('survives a client that resets the connection in the middle of a download', async () => {
      const { sha256: name } = await world.coordinator.blobs.putBytes(new Uint8Array(8_000_000));
      const { hostname, port } = new URL(world.coordinator.url);
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port), hostname, () =>
          socket.write(
            `GET /blobs/${name} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${world.coordinator.tokens.admin}\r\n\r\n`,
          ),
        );
        socket.once('data', () => {
          socket.resetAndDestroy();
          resolve();
        });
      });
      expect((await world.ask('/healthz')).status).toBe(200);
    });
  });
});
