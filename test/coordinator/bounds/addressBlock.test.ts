import { describe, expect, it } from 'vitest';
import { addressBlock } from '../../../coordinator/bounds/addressBlock.ts';

describe('addressBlock', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::ffff', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['2001:db8::/64', '2001:db8:0:0::/64'],
    ['2001:db8:0:0::/64', '2001:db8:0:0::/64'],
    ['[2001:db8::9]', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
  ])('puts %s into %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });

  it.each([
    '',
    'an unknown address',
    '192.0.2',
    '192.0.2.7/64',
    '[192.0.2.7]',
    '2001:db8::/48',
    'example.org',
  ])('takes %j for no address', (text) => {
    expect(addressBlock(text)).toBeUndefined();
  });
});
