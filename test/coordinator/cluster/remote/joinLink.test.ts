import { expect, it } from 'vitest';
import { coordinatorAddresses } from '../../../../coordinator/core/http/addresses.ts';
import { readJoinLink } from '../../../../coordinator/cluster/remote/ownerAccess.ts';

it.each([
  { host: '127.0.0.1', port: 7070, joinToken: 'a/b+c' },
  { host: '0.0.0.0', port: 7070, publicUrl: 'https://train.example.org/swarm/', joinToken: 'secret' },
  { host: '127.0.0.1', port: 7070, certificateNames: ['train.example.org'], joinToken: undefined },
])('a join link is an address: $host $publicUrl', (reach) => {
  const { url, joinUrl } = coordinatorAddresses(reach);
  const address = reach.publicUrl?.replace(/\/$/, '') ?? url;
  const { joinToken } = reach;
  expect(readJoinLink(joinUrl)).toEqual(
    joinToken === undefined ? { url: address } : { url: address, joinToken },
  );
});

it.each(['http://127.0.0.1:7070', 'https://train.example.org/swarm/', 'no address'])(
  'an address stays as it is: %s',
  (url) => expect(readJoinLink(url)).toEqual({ url }),
);

it('a link may have settings of the tab and a slash at its end', () => {
  expect(readJoinLink('http://h:1/join?device=cpu')).toEqual({ url: 'http://h:1' });
  expect(readJoinLink('http://h:1/join/#name=me&token=t')).toEqual({ url: 'http://h:1', joinToken: 't' });
  expect(readJoinLink('http://h:1/#token=t')).toEqual({ url: 'http://h:1', joinToken: 't' });
});
