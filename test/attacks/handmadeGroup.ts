// Members of a run, made by hand: they join, get their places in a group, and then do whatever the attack is.

import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../shared/protocol/control.ts';
import type { AttackedCoordinator } from './attackedCoordinator.ts';

export const JOIN_TOKEN = 'JOIN';
export const ADMIN_TOKEN = 'ADMIN';

export interface HandmadeMember {
  readonly workerId: string;
  readonly secret: string;
  readonly signallingToken: string;
  /** Resolves when it has a place in the group of a run. */
  readonly assigned: Promise<void>;
}

export function openSocket(coordinator: AttackedCoordinator, path: string): WebSocket {
  const socket = new WebSocket(coordinator.url.replace('http', 'ws') + path);
  socket.on('error', () => undefined);
  return socket;
}

/** A worker that says hello, and keeps its socket. */
export function joinByHand(coordinator: AttackedCoordinator): Promise<HandmadeMember> {
  const socket = openSocket(coordinator, '/control');
  const say = (message: object): void => socket.send(JSON.stringify(message));
  socket.on('open', () =>
    say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      token: JOIN_TOKEN,
      runtime: 'node',
      device: { kind: 'cpu', name: 'by hand' },
      cores: 1,
    }),
  );
  return new Promise((resolve, reject) => {
    let isAssigned = (): void => undefined;
    const assigned = new Promise<void>((done) => (isAssigned = done));
    socket.on('close', (_, reason) => reject(new Error(`not welcome: ${reason.toString()}`)));
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string } & Omit<HandmadeMember, 'assigned'>;
      if (message.type === 'assign') isAssigned();
      if (message.type !== 'welcome') return;
      const { workerId, secret, signallingToken } = message;
      say({ type: 'available', peerId: workerId });
      resolve({ workerId, secret, signallingToken, assigned });
    });
  });
}

/** So many workers in the group of one run. */
export async function groupByHand(coordinator: AttackedCoordinator, size: number): Promise<HandmadeMember[]> {
  const rows = Buffer.from('rows');
  const sha256 = createHash('sha256').update(rows).digest('hex');
  const ask = async (method: string, path: string, body: Buffer | string): Promise<void> => {
    const headers = { Authorization: `Bearer ${ADMIN_TOKEN}` };
    const answer = await fetch(coordinator.url + path, {
      method,
      headers,
      body: new Uint8Array(Buffer.from(body)),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  await ask('PUT', `/blobs/${sha256}`, rows);
  const members = await Promise.all(Array.from({ length: size }, () => joinByHand(coordinator)));
  const shards = members.map((_, index) => ({
    dataset: 'train',
    index,
    firstRow: 4 * index,
    rows: 4,
    sha256,
    sizeBytes: rows.length,
  }));
  const spec = { trainer: 'gbdt', numBoostRound: 3 };
  const workers = { min: size, max: size };
  await ask('POST', '/api/v1/runs', JSON.stringify({ runId: 'run', name: 'run', spec, shards, workers }));
  await Promise.all(members.map(({ assigned }) => assigned));
  return members;
}
