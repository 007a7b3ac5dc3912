import { describe, expect, it } from 'vitest';
import { iceServersFor } from '../../../coordinator/server/iceServers.ts';

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

  it('are refused with the address that is wrong, or the secret that is missing', () => {
    expect(() => iceServersFor({ urls: ['stun:ok', 'http://no'] })).toThrow(
      /"http:\/\/no" is not the address/,
    );
    expect(() => iceServersFor({ urls: ['turn:turn.example.org'] })).toThrow(/needs the secret/);
  });
});
