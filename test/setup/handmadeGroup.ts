// Members of a run, made by hand: they join a coordinator, get their places in a group, and then do whatever a test is about.

import { treeSpec } from './runSpecs.ts';
import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';
import {
  PROTOCOL_VERSION,
  type CoordinatorMessage,
  type CoordinatorMessageOf,
} from '../../shared/protocol/control.ts';

export interface HandmadeWorker {
  readonly control: WebSocket;
  readonly welcome: CoordinatorMessageOf<'welcome'>;
  /** Resolves when it has a place in the group of a run. */
  readonly assigned: Promise<CoordinatorMessageOf<'assign'>>;
}

export interface CoordinatorAccess {
  readonly url: string;
  readonly tokens: { readonly join: string; readonly admin: string };
}

export function openSocket({ url }: Pick<CoordinatorAccess, 'url'>, path: string): WebSocket {
  const socket = new WebSocket(url.replace('http', 'ws') + path);
  socket.on('error', () => undefined);
  return socket;
}

/** A worker that says hello, can be put in groups, and does nothing more. */
export function joinByHand(coordinator: CoordinatorAccess): Promise<HandmadeWorker> {
  const control = openSocket(coordinator, '/control');
  const say = (message: object): void => control.send(JSON.stringify(message));
  control.on('open', () =>
    say({
      type: 'hello',
      protocol: PROTOCOL_VERSION,
      token: coordinator.tokens.join,
      runtime: 'node',
      device: { kind: 'cpu', name: 'by hand' },
      cores: 1,
    }),
  );
  return new Promise((resolve, reject) => {
    let assign!: (message: CoordinatorMessageOf<'assign'>) => void;
    const assigned = new Promise<CoordinatorMessageOf<'assign'>>((done) => (assign = done));
    control.on('close', (_, reason) => reject(new Error(`not welcome: ${reason.toString()}`)));
    control.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as CoordinatorMessage;
      if (message.type === 'assign') assign(message);
      if (message.type !== 'welcome') return;
      say({ type: 'available', peerId: message.workerId });
      resolve({ control, welcome: message, assigned });
    });
  });
}

/** Takes the place in the group, or it would be given to another one after a while. */
async function begin({ control, assigned }: HandmadeWorker): Promise<void> {
  const { runId, generation } = await assigned;
  control.send(JSON.stringify({ type: 'ready', runId, generation, links: [] }));
}

/** So many workers in the group of one run, whose id is "run". */
export async function groupByHand(coordinator: CoordinatorAccess, size: number): Promise<HandmadeWorker[]> {
  const rows = Buffer.from('rows');
  const sha256 = createHash('sha256').update(rows).digest('hex');
  const ask = async (method: string, path: string, body: Uint8Array<ArrayBuffer> | string): Promise<void> => {
    const headers = { Authorization: `Bearer ${coordinator.tokens.admin}` };
    const answer = await fetch(coordinator.url + path, { method, headers, body });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  };
  await ask('PUT', `/blobs/${sha256}`, new Uint8Array(rows));
  const workers = await Promise.all(Array.from({ length: size }, () => joinByHand(coordinator)));
  const shards = workers.map((_, index) => ({
    dataset: 'train',
    index,
    firstRow: 4 * index,
    rows: 4,
    sha256,
    sizeBytes: rows.length,
  }));
  const spec = treeSpec(3);
  const demand = { min: size, max: size };
  await ask(
    'POST',
    '/api/v1/runs',
    JSON.stringify({ runId: 'run', name: 'run', spec, shards, workers: demand }),
  );
  await Promise.all(workers.map((worker) => begin(worker)));
  return workers;
}
