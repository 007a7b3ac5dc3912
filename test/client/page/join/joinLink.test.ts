import { expect, it } from 'vitest';
import { readFragment, shortJoinLink } from '../../../../client/page/join/joinLink.ts';

it.each(['Ab-9_z', 'with = and & and %', 'ü'])('carries the token %s in its fragment alone', (token) => {
  const link = new URL(shortJoinLink('https://host/lab', token));
  expect(link.href.split('#')[0]).toBe('https://host/lab/j');
  expect(readFragment(link.hash).get('token')).toBe(token);
});

it('is read with settings, too, and without anything', () => {
  const settings = readFragment('#token=a%2Bb&name=Ada');
  expect([settings.get('token'), settings.get('name')]).toEqual(['a+b', 'Ada']);
  expect([...readFragment(''), ...readFragment('#')]).toEqual([]);
  expect(readFragment('#50%').get('token')).toBe('50%');
  expect(shortJoinLink('http://host:7070', undefined)).toBe('http://host:7070/join');
});
