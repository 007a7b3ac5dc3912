// What the signalling server lets through: one socket for an id that is one's own, and messages of known forms to workers
// that one may meet.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  startSignalling,
  type SignallingServer,
} from '../../../client/transport/fixtures/signallingServer.ts';
import { ManualClock } from '../../../setup/manualClock.ts';
import { HeardSocket } from './fixtures/heardSocket.ts';

let server: SignallingServer;
let sockets: HeardSocket[];

const friends = new Set(['a-1 b-1', 'b-1 a-1', 'a-1 absent-1']);

beforeEach(async () => {
  server = await startSignalling({
    mayMeet: (from, to) => friends.has(`${from} ${to}`),
    maxClients: 5,
    clock: new ManualClock(),
  });
  sockets = [];
});

afterEach(async () => {
  for (const { socket } of sockets) socket.terminate();
  await server.close();
});

function dial(query: string): HeardSocket {
  const socket = new HeardSocket(`${server.url}/peerjs/peerjs?${query}`);
  sockets.push(socket);
  return socket;
}

const queryOf = (worker: string, number = 1): string =>
  `key=test-key&id=${worker}-${number}&token=token-of-${worker}`;

async function join(worker: string): Promise<HeardSocket> {
  const socket = dial(queryOf(worker));
  expect(await socket.nextJson()).toEqual({ type: 'OPEN' });
  return socket;
}

const connection = { type: 'data', connectionId: 'dc_1' };
const description = { type: 'offer', sdp: 'v=0' };
const metadata = { from: 'a', to: 'b', group: 'run/1' };
const offer = {
  type: 'OFFER',
  dst: 'b-1',
  payload: { ...connection, sdp: description, serialization: 'raw', reliable: true, label: 'dc_1', metadata },
};
const answer = {
  type: 'ANSWER',
  dst: 'a-1',
  payload: { ...connection, sdp: { type: 'answer', sdp: 'v=0' } },
};
const candidate = {
  type: 'CANDIDATE',
  dst: 'b-1',
  payload: {
    ...connection,
    candidate: { candidate: 'candidate:1 1 UDP 1 10.0.0.1 9 typ host', sdpMid: '0', sdpMLineIndex: 0 },
  },
};

describe('a socket to the signalling server', () => {
  it.each([
    ['an id twice', 'key=test-key&id=a-1&token=token-of-a&id=b-1'],
    ['another id first', 'key=test-key&id=b-1&token=token-of-a&id=a-1'],
    ['id and token twice', 'key=test-key&id=a-1&token=token-of-a&id=b-1&token=any'],
    ['the same id twice', 'key=test-key&id=a-1&token=token-of-a&id=a-1'],
    ['a token twice', 'key=test-key&id=a-1&token=token-of-a&token=token-of-a'],
    ['the key twice', 'key=test-key&key=test-key&id=a-1&token=token-of-a'],
    ['an id twice, once in other letters', 'key=test-key&%69d=b-1&id=a-1&token=token-of-a'],
    ['an empty id', 'key=test-key&id=&token=token-of-a'],
    ['no token', 'key=test-key&id=a-1'],
    ['nothing at all', ''],
    ['an id that is too long', `key=test-key&id=a-${'x'.repeat(127)}&token=token-of-a`],
  ])('is refused with %s', async (_, query) => {
    const socket = dial(query);
    expect(await socket.nextJson()).toEqual({
      type: 'ERROR',
      payload: { msg: 'the key, the id or the token is missing or doubled' },
    });
    await socket.closed;
    expect(server.peers.stats).toMatchObject({ clients: 0, refused: 1 });
  });

  it('may say more of itself than is asked for, as PeerJS does', async () => {
    const socket = dial(`${queryOf('a')}&version=1.5.5&version=2&another=1`);
    expect(await socket.nextJson()).toEqual({ type: 'OPEN' });
  });

  it('is the only one of its id: a newer one takes its place, and nothing that the former says is heard', async () => {
    const [former, b] = [await join('a'), await join('b')];
    const latter = await join('a');
    await former.closed;
    expect(server.peers.stats.clients).toBe(2);
    latter.send(offer);
    expect(await b.nextJson()).toEqual({ ...offer, src: 'a-1' });
  });

  it('is refused where there is no room, but for an id that has a place', async () => {
    for (const worker of ['a', 'b', 'c', 'd', 'e']) await join(worker);
    expect(await dial(queryOf('f')).nextJson()).toMatchObject({
      type: 'ERROR',
      payload: { msg: 'there is no room for another worker' },
    });
    await join('e');
    expect(server.peers.stats.clients).toBe(5);
  });

  it('is refused when its id has had too many', async () => {
    for (let at = 0; at < 21; at += 1) await join('a');
    expect(await dial(queryOf('a')).nextJson()).toMatchObject({
      type: 'ERROR',
      payload: { msg: 'this id comes too often' },
    });
  });

  it('is closed when the worker is gone for good', async () => {
    const socket = await join('a');
    server.peers.drop('a-1');
    await socket.closed;
    expect(server.peers.stats.clients).toBe(0);
  });
});

describe('messages over the signalling server', () => {
  it('go to whom they are for, with their true sender and nothing that does not belong in them', async () => {
    const [a, b] = [await join('a'), await join('b')];
    a.send({ ...offer, src: 'c-1', more: 1, payload: { ...offer.payload, more: 2, browser: 'x' } });
    expect(await b.nextJson()).toEqual({ ...offer, src: 'a-1' });
    b.send(answer);
    expect(await a.nextJson()).toEqual({ ...answer, src: 'b-1' });
    a.send(candidate);
    expect(await b.nextJson()).toEqual({ ...candidate, src: 'a-1' });
    expect(server.peers.stats).toMatchObject({ messages: 3, dropped: 0 });
  });

  it('go to nobody whom the sender has nothing to do with; a dialler is told that at once', async () => {
    const [a, b, c] = [await join('a'), await join('b'), await join('c')];
    c.send(candidate);
    c.send(offer);
    expect(await c.nextJson()).toEqual({ type: 'EXPIRE', src: 'b-1', dst: 'c-1' });
    a.send(offer);
    expect(await b.nextJson()).toEqual({ ...offer, src: 'a-1' });
    expect(server.peers.stats).toMatchObject({ messages: 1, dropped: 2 });
  });

  it('are not kept for who is not there; a dialler is told that at once', async () => {
    const a = await join('a');
    a.send({ ...candidate, dst: 'absent-1' });
    a.send({ ...offer, dst: 'absent-1' });
    expect(await a.nextJson()).toEqual({ type: 'EXPIRE', src: 'absent-1', dst: 'a-1' });
    const absent = await join('absent');
    a.send({ ...offer, dst: 'absent-1', payload: { ...offer.payload, connectionId: 'later' } });
    expect(await absent.nextJson()).toMatchObject({ payload: { connectionId: 'later' } });
  });

  it.each([
    ['text that is not JSON', '{'],
    ['null', 'null'],
    ['LEAVE, which would end connections of others', { type: 'LEAVE', dst: 'b-1' }],
    ['EXPIRE, which only the server says', { type: 'EXPIRE', dst: 'b-1' }],
    ['an offer to nobody', { ...offer, dst: undefined }],
    ['an offer of media', { ...offer, payload: { ...offer.payload, type: 'media' } }],
    [
      'an offer of another kind of connection',
      { ...offer, payload: { ...offer.payload, serialization: 'constructor' } },
    ],
    ['an offer without a description', { ...offer, payload: { ...offer.payload, sdp: undefined } }],
    [
      'an offer without a group',
      { ...offer, payload: { ...offer.payload, metadata: { from: 'a', to: 'b' } } },
    ],
    [
      'a description that is too long',
      { ...offer, payload: { ...offer.payload, sdp: { type: 'offer', sdp: 'x'.repeat(32_769) } } },
    ],
    ['an answer that is an offer', { ...answer, dst: 'b-1', payload: offer.payload }],
    ['a candidate without one', { ...candidate, payload: connection }],
    [
      'a candidate that is too long',
      { ...candidate, payload: { ...connection, candidate: { candidate: 'x'.repeat(1025) } } },
    ],
  ])('pass nothing on of %s', async (_, message) => {
    const [a, b] = [await join('a'), await join('b')];
    a.send(message);
    a.send(Buffer.from(JSON.stringify(offer)).toString('latin1').slice(0, 40));
    a.socket.send(Buffer.from(JSON.stringify(offer)));
    a.send(candidate);
    expect(await b.nextJson()).toEqual({ ...candidate, src: 'a-1' });
    expect(server.peers.stats.messages).toBe(1);
  });

  it('that are malformed are forgiven twenty times', async () => {
    const [a, b] = [await join('a'), await join('b')];
    for (let at = 0; at < 20; at += 1) a.send('{');
    a.send(offer);
    expect(await b.nextJson()).toMatchObject({ src: 'a-1' });
    a.send('{');
    await a.closed;
  });
});
