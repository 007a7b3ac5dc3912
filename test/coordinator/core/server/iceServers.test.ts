import { describe, expect, it } from 'vitest';
import type { PoolWorker } from '../../../../coordinator/core/pool/poolWorker.ts';
import { iceServersFor, type IceSettings } from '../../../../coordinator/core/server/iceServers.ts';
import { renewIceServers } from '../../../../coordinator/core/server/renewIceServers.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

describe('STUN and TURN settings', () => {
  it('hand out STUN servers as they are, and nothing where nothing is set', () => {
    const make = iceServersFor({ urls: ['stun:stun.example.org:3478', 'stun:[2001:db8::1]'] });
    expect(make('w-1', 0)).toEqual([{ urls: ['stun:stun.example.org:3478', 'stun:[2001:db8::1]'] }]);
    expect(iceServersFor({ urls: [] })('w-1', 0)).toEqual([]);
  });

  it('give each worker TURN credentials that expire in a day, as coturn computes them', () => {
    const make = iceServersFor({ urls: ['turn:turn.example.org?transport=tcp'], turnSecret: 'north' });
    // printf '1700086400:w-1' | openssl dgst -sha1 -hmac north -binary | base64
    expect(make('w-1', 1_700_000_000.5)).toEqual([
      {
        urls: ['turn:turn.example.org?transport=tcp'],
        username: '1700086400:w-1',
        credential: 'bafShiCe8ml90yMyL38g6+Qfxt4=',
      },
    ]);
    expect(make('w-2', 1_700_000_000)[0]!.credential).not.toBe(make('w-1', 1_700_000_000)[0]!.credential);
  });

  it('follow the formula of coturn for any lifetime, by another implementation of HMAC', async () => {
    const settings = { urls: ['turn:turn.example.org'], turnSecret: 'sëcret', turnLifetimeS: 600 };
    const [server] = iceServersFor(settings)('w-9', 1_800_000_000);
    expect(server!.username).toBe('1800000600:w-9');
    const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
    const algorithm = { name: 'HMAC', hash: 'SHA-1' };
    const key = await crypto.subtle.importKey('raw', bytes('sëcret'), algorithm, false, ['sign']);
    const digest = await crypto.subtle.sign('HMAC', key, bytes('1800000600:w-9'));
    expect(server!.credential).toBe(Buffer.from(digest).toString('base64'));
  });

  it('are sent anew to workers that stay when half of their time is over, and never where nothing expires', () => {
    const clock = new ManualClock();
    const sent: unknown[] = [];
    const start = (settings: IceSettings): (() => void) =>
      renewIceServers({
        settings,
        clock,
        iceServers: (workerId) => iceServersFor(settings)(workerId, clock.now() / 1000),
        pool: {
          workers: () => [{ workerId: 'w-1' } as PoolWorker],
          send: (workerId, message) => sent.push([workerId, message]) > 0,
        },
      });
    start({ urls: ['stun:stun.example.org'] });
    expect(clock.pending).toBe(0);
    const stop = start({ urls: ['turn:turn.example.org'], turnSecret: 's', turnLifetimeS: 600 });
    clock.advance(299_999);
    expect(sent).toEqual([]);
    clock.advance(300_001);
    expect(sent).toMatchObject([
      ['w-1', { type: 'iceServers', iceServers: [{ username: '900:w-1' }] }],
      ['w-1', { type: 'iceServers', iceServers: [{ username: '1200:w-1' }] }],
    ]);
    stop();
    expect(clock.pending).toBe(0);
  });

  it('are refused with the address that is wrong, or the secret that is missing', () => {
    expect(() => iceServersFor({ urls: ['stun:ok', 'http://no'] })).toThrow(
      /"http:\/\/no" is not the address/,
    );
    expect(() => iceServersFor({ urls: ['turn:turn.example.org'] })).toThrow(/needs the secret/);
  });
});
