import { describe, expect, it } from 'vitest';
import { checkHops, isRedirect, MAX_REDIRECTS, redirectTarget } from '../../../coordinator/http/redirect.ts';

const from = new URL('https://data.example.org/a/b.csv?x=1');

describe('a redirect', () => {
  it('is an answer of the five statuses that name another address', () => {
    const statuses = Array.from({ length: 500 }, (_, at) => 100 + at);
    expect(statuses.filter(isRedirect)).toEqual([301, 302, 303, 307, 308]);
  });

  it.each([
    ['/c.csv', 'https://data.example.org/c.csv'],
    ['c.csv', 'https://data.example.org/a/c.csv'],
    ['//cdn.example.org/c.csv', 'https://cdn.example.org/c.csv'],
    ['https://cdn.example.org:8443/c.csv', 'https://cdn.example.org:8443/c.csv'],
  ])('to %s leads to %s', (location, target) => {
    expect(redirectTarget(from, 302, location).href).toBe(target);
  });

  it('may lead from http to https', () => {
    const plain = new URL('http://data.example.org/a.csv');
    expect(redirectTarget(plain, 301, 'https://data.example.org/a.csv').protocol).toBe('https:');
  });

  it.each([
    ['no address', null, 'does not say where to'],
    ['no URL', 'https://', 'does not say where to'],
    ['http', 'http://data.example.org/a.csv', 'from https:// to http://data.example.org'],
    ['a file', 'file:///etc/passwd', 'from https:// to file://'],
    ['a password in the address', 'https://user:secret@data.example.org/', 'a password in it'],
  ])('with %s is refused', (_, location, reason) => {
    const attempt = (): URL => redirectTarget(from, 301, location);
    expect(attempt).toThrow(expect.objectContaining({ code: 'REDIRECT_REFUSED' }));
    expect(attempt).toThrow(reason);
    expect(attempt).toThrow('data.example.org answers with a redirect (status 301)');
    expect(attempt).not.toThrow('secret');
  });

  it('is followed ten times in a row and not more', () => {
    expect(() => checkHops(MAX_REDIRECTS - 1, from)).not.toThrow();
    expect(() => checkHops(MAX_REDIRECTS, from)).toThrow('one redirect more than 10 in a row');
  });
});
