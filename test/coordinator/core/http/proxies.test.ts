import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { TrustedProxies } from '../../../../coordinator/core/http/proxies.ts';
import { publicPathOf, stripPublicPath } from '../../../../coordinator/core/http/publicPath.ts';

const from = (remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: { host: 'inner:7070', ...headers } }) as unknown as IncomingMessage;

describe('trusted proxies', () => {
  const proxies = new TrustedProxies(['loopback', '10.0.0.0/8', ' 2001:db8::/32']);
  const forwarded = (chain: string, host = 'outer.example.org'): Record<string, string> => ({
    'x-forwarded-for': chain,
    'x-forwarded-host': host,
  });

  it('are believed on the client and the host that it asked for', () => {
    const request = from('127.0.0.1', forwarded('192.0.2.7'));
    expect(proxies.clientAddress(request)).toBe('192.0.2.7');
    expect(proxies.host(request)).toBe('outer.example.org');
    expect(proxies.clientAddress(from('::ffff:10.1.2.3', forwarded('198.51.100.1')))).toBe('198.51.100.1');
    expect(proxies.clientAddress(from('2001:db8::7', forwarded('2001:dead::1')))).toBe('2001:dead::1');
  });

  it('are followed back to the last address that is none of them: a client can forge what is before it', () => {
    const request = from('127.0.0.1', forwarded('1.1.1.1, 192.0.2.7, 10.0.0.9', 'forged, real.example.org'));
    expect(proxies.clientAddress(request)).toBe('192.0.2.7');
    expect(proxies.host(request)).toBe('real.example.org');
    expect(proxies.clientAddress(from('127.0.0.1', forwarded('192.0.2.7, junk, 10.0.0.9')))).toBe('10.0.0.9');
  });

  it('are nobody where nobody was named, and strangers are not believed', () => {
    const stranger = from('192.0.2.66', forwarded('127.0.0.1'));
    expect(proxies.clientAddress(stranger)).toBe('192.0.2.66');
    expect(proxies.host(stranger)).toBe('inner:7070');
    const nobody = new TrustedProxies([]);
    expect(nobody.host(from('127.0.0.1', forwarded('192.0.2.7')))).toBe('inner:7070');
    expect(proxies.host(from('127.0.0.1'))).toBe('inner:7070');
    expect(proxies.clientAddress(from('127.0.0.1'))).toBe('127.0.0.1');
  });

  it.each(['', 'proxy.example.org', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/x', '1.2.3'])(
    'are not "%s"',
    (text) => {
      expect(() => new TrustedProxies([text])).toThrow(
        expect.objectContaining({ code: 'PROXY_SETTING_INVALID' }),
      );
    },
  );
});

describe('the public path', () => {
  it.each([
    ['/swarm/join', '/join'],
    ['/swarm', '/'],
    ['/swarm?x=1', '/?x=1'],
    ['/swarm/', '/'],
    ['/join', '/join'],
    ['/swarmed/join', '/swarmed/join'],
    ['/other/swarm', '/other/swarm'],
  ])('is taken off %s, giving %s', (url, expected) => {
    const request = { url } as IncomingMessage;
    stripPublicPath(request, publicPathOf('https://example.org/swarm/'));
    expect(request.url).toBe(expected);
  });

  it('is nothing for an address without one', () => {
    expect(publicPathOf('https://example.org')).toBe('');
    expect(publicPathOf(undefined)).toBe('');
  });
});
