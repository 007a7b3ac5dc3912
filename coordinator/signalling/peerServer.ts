// PeerJS's own server in the coordinator's HTTP server. Only its WebSocket is used: workers bring their ids along.

import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { ExpressPeerServer } from 'peer';
import { WebSocketServer, type WebSocket } from 'ws';
import { SteppedTimers } from './steppedTimers.ts';

/** Offers, answers and candidates are a few KiB. */
const MAX_SIGNAL_BYTES = 64 * 1024;
/** An odd number, so that the timer can be told from others. */
const EXPIRE_CHECK_MS = 1009;
/** How often `peer` looks for dead clients; fixed there. */
const DEAD_CLIENT_CHECK_MS = 300;

export interface PeerServerOptions {
  /** Where PeerJS clients are told to look (their `path` option); the socket is at `${path}/peerjs`. Default /peerjs. */
  readonly path?: string;
  /** What every worker must bring along; from the welcome. */
  readonly key: string;
  /** Whether the worker that holds `token` may use this PeerJS id. Default: whoever has the key may use any. */
  readonly authorize?: (peerId: string, token: string) => boolean;
  readonly maxClients?: number;
}

export interface MountedPeerServer {
  readonly stats: { readonly clients: number; readonly messages: number; readonly refused: number };
  /** The path whose upgrades this handles; all others are left alone. */
  readonly upgradePath: string;
  close(): Promise<void>;
}

export function mountPeerServer(server: Server, options: PeerServerOptions): MountedPeerServer {
  const path = options.path ?? '/peerjs';
  const upgradePath = `${path}/peerjs`;
  const stats = { clients: 0, messages: 0, refused: 0 };
  // noServer: given the HTTP server, `ws` would answer the upgrades of all other paths with an error.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_SIGNAL_BYTES });
  const timers = new SteppedTimers([EXPIRE_CHECK_MS, DEAD_CLIENT_CHECK_MS]);
  const peers = ExpressPeerServer(server, {
    path,
    key: options.key,
    cleanup_out_msgs: EXPIRE_CHECK_MS,
    concurrent_limit: options.maxClients ?? 5000,
    allow_discovery: false,
    createWebSocketServer: () => sockets,
  });
  const present = new Set<string>();
  peers.on('connection', (client) => {
    // The package greets new ids only: a worker whose former socket is not known to be dead yet would wait for ever.
    if (present.has(client.getId())) client.send({ type: 'OPEN' });
    present.add(client.getId());
    stats.clients = present.size;
  });
  peers.on('disconnect', (client) => {
    present.delete(client.getId());
    stats.clients = present.size;
  });
  peers.on('message', () => (stats.messages += 1));
  peers.on('error', () => (stats.refused += 1));
  // The package starts when it is mounted in an Express application; this one serves nothing and exists for that.
  timers.run(() => ExpressPeerServer(server).use(peers));

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    const url = new URL(request.url ?? '', 'http://coordinator');
    if (url.pathname !== upgradePath) return;
    const id = url.searchParams.get('id') ?? '';
    const token = url.searchParams.get('token') ?? '';
    const welcome = url.searchParams.get('key') === options.key && id.length > 0 && id.length <= 128;
    if (!welcome || options.authorize?.(id, token) === false) {
      stats.refused += 1;
      sockets.handleUpgrade(request, socket, head, refuse);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => sockets.emit('connection', client, request));
  };
  server.on('upgrade', onUpgrade);

  return {
    stats,
    upgradePath,
    close: () => {
      server.off('upgrade', onUpgrade);
      timers.close();
      for (const client of sockets.clients) client.terminate();
      return new Promise((resolve) => sockets.close(() => resolve()));
    },
  };
}

/** In PeerJS's own words: a browser can't tell an HTTP refusal from a server that is down, and would try for ever. */
function refuse(client: WebSocket): void {
  client.on('error', () => client.terminate());
  client.send(JSON.stringify({ type: 'ERROR', payload: { msg: 'the key, the id or its token is wrong' } }));
  client.close();
}
