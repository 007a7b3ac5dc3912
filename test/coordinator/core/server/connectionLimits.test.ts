import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { limitConnections } from '../../../../coordinator/http/limitConnections.ts';
import { TrustedProxies } from '../../../../coordinator/core/http/proxies.ts';
import { UnjoinedSockets } from '../../../../coordinator/core/http/unjoinedSockets.ts';

/** A connection from an address that this machine does not have. */
class Connection extends EventEmitter {
  readonly remoteAddress: string;
  isDropped = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    this.isDropped = true;
    this.emit('close');
  }
}

describe('limitConnections', () => {
  function connections(addresses: readonly string[], proxies: readonly string[] = []): Connection[] {
    const server = createServer();
    limitConnections(server, { inAll: 100, byAddress: 2 }, (address) => proxies.includes(address));
    return addresses.map((address) => {
      const connection = new Connection(address);
      server.emit('connection', connection);
      return connection;
    });
  }
  const dropped = (all: readonly Connection[]): boolean[] => all.map(({ isDropped }) => isDropped);

  it('drops what one address opens above its share', () => {
    const all = connections(['192.0.2.1', '192.0.2.1', '192.0.2.1', '192.0.2.2', '::ffff:192.0.2.1']);
    expect(dropped(all)).toEqual([false, false, true, false, true]);
  });

  it('lets proxies and this machine have as many as they need', () => {
    const all = connections(Array<string>(5).fill('10.0.0.1').concat(Array<string>(5).fill('127.0.0.1')), [
      '10.0.0.1',
    ]);
    expect(dropped(all)).toEqual(Array(10).fill(false));
  });

  it('gives a place again when a connection is closed', () => {
    const server = createServer();
    limitConnections(server, { inAll: 100, byAddress: 1 });
    const open = (): Connection => {
      const connection = new Connection('192.0.2.1');
      server.emit('connection', connection);
      return connection;
    };
    const first = open();
    expect(open().isDropped).toBe(true);
    first.destroy();
    expect(open().isDropped).toBe(false);
  });

  it('drops all connections above the limit in all, before anything is read', async () => {
    const server = createServer();
    limitConnections(server, { inAll: 2, byAddress: 2 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const accepted: Socket[] = [];
    const both = new Promise<void>((resolve) =>
      server.on('connection', (socket: Socket) => {
        if (accepted.push(socket) === 2) resolve();
      }),
    );
    const open = (): Socket => connect((server.address() as AddressInfo).port, '127.0.0.1');
    const kept = [open(), open()];
    await both;
    const third = open();
    third.on('error', () => undefined);
    await new Promise((resolve) => third.once('close', resolve));
    expect([accepted.length, kept.map(({ destroyed }) => destroyed)]).toEqual([2, [false, false]]);
    for (const socket of [...kept, ...accepted]) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe('UnjoinedSockets', () => {
  const from = (address: string, client?: string): IncomingMessage =>
    ({
      socket: { remoteAddress: address },
      headers: { ...(client !== undefined && { 'x-forwarded-for': client }) },
    }) as unknown as IncomingMessage;
  const tooMany = { code: 'TOO_MANY_CONNECTIONS' };

  it('admits few from one address, and few in all', () => {
    const unjoined = new UnjoinedSockets(new TrustedProxies([]), { inAll: 3, byAddress: 2 });
    const first = unjoined.admit(from('192.0.2.1'));
    unjoined.admit(from('192.0.2.1'));
    expect(() => unjoined.admit(from('192.0.2.1'))).toThrow(
      expect.objectContaining({
        ...tooMany,
        message: expect.stringMatching(/^There are 2 sockets from 192/),
      }),
    );
    unjoined.admit(from('192.0.2.2'));
    expect(() => unjoined.admit(from('192.0.2.3'))).toThrow(
      expect.objectContaining({ ...tooMany, message: expect.stringMatching(/^There are 3 sockets that/) }),
    );
    first();
    first();
    unjoined.admit(from('192.0.2.1'));
    expect(() => unjoined.admit(from('192.0.2.3'))).toThrow(expect.objectContaining(tooMany));
  });

  it('goes by whom a trusted proxy speaks for', () => {
    const unjoined = new UnjoinedSockets(new TrustedProxies(['10.0.0.1']), { inAll: 100, byAddress: 1 });
    for (const client of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) unjoined.admit(from('10.0.0.1', client));
    expect(() => unjoined.admit(from('10.0.0.1', '192.0.2.2'))).toThrow(expect.objectContaining(tooMany));
    // Without a word about the client, the proxy stands for all.
    for (let i = 0; i < 3; i++) unjoined.admit(from('10.0.0.1'));
  });
});
