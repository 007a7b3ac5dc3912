import { describe, expect, test } from 'vitest';
import type { ControlSocket } from '../../../client/control/controlClient.ts';
import { Worker } from '../../../client/runtime/worker.ts';
import type { WorkerTransport } from '../../../client/runtime/workerPlatform.ts';
import type { WorkerStatus } from '../../../client/runtime/workerStatus.ts';
import { createCpuTreeDevice } from '../../../kernels/gbdt/devices/cpuDevice.ts';
import type { CoordinatorMessage, WorkerMessage } from '../../../shared/protocol/control.ts';
import { ManualClock } from '../../setup/manualClock.ts';

class CoordinatorSocket implements ControlSocket {
  onopen: ControlSocket['onopen'] = null;
  onmessage: ControlSocket['onmessage'] = null;
  onclose: ControlSocket['onclose'] = null;
  onerror: ControlSocket['onerror'] = null;
  readonly heard: WorkerMessage[] = [];
  send(text: string): void {
    this.heard.push(JSON.parse(text) as WorkerMessage);
  }
  close(): void {
    this.onclose?.({ code: 1000, reason: '' });
  }
  say(message: CoordinatorMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  welcome(workerId: string): void {
    this.onopen?.();
    this.say({
      type: 'welcome',
      workerId,
      secret: 's',
      signallingToken: 't',
      peerServer: { path: '/peerjs', key: 'k' },
      iceServers: [],
      pingIntervalMs: 1000,
    });
  }
  /** Types of what the worker said after its hello. */
  get types(): string[] {
    return this.heard.slice(1).map(({ type }) => type);
  }
}

interface OpenedTransport extends WorkerTransport {
  readonly fail: (reason: string) => void;
  closedByWorker: boolean;
  iceServers: unknown;
}

function start(openTransport?: (attempt: number) => void) {
  const clock = new ManualClock();
  const sockets: CoordinatorSocket[] = [];
  const transports: OpenedTransport[] = [];
  const phases: string[] = [];
  const lines: string[] = [];
  let attempts = 0;
  const worker = new Worker(
    { allowCode: false, url: 'http://host:7070', device: 'cpu' },
    {
      runtime: 'node',
      cores: 2,
      clock,
      random: () => 1,
      openSocket: (url) => {
        expect(url).toBe('ws://host:7070/control');
        const socket = new CoordinatorSocket();
        sockets.push(socket);
        return socket;
      },
      acquireDevice: async () => ({
        report: { kind: 'cpu', name: 'JavaScript' },
        create: async (spec) => createCpuTreeDevice(spec),
        createEngine: () => Promise.reject(new Error('there is no neural net in this test')),
      }),
      openTransport: async ({ workerId, iceServers }) => {
        openTransport?.(++attempts);
        let fail!: (reason: string) => void;
        const closed = new Promise<string>((resolve) => (fail = resolve));
        const transport: OpenedTransport = {
          peerId: `${workerId}-${transports.length}`,
          closed,
          fail,
          closedByWorker: false,
          iceServers,
          useIceServers: (servers) => {
            transport.iceServers = servers;
          },
          connector: {
            expect: () => () => {},
            connect: async () => new Map(),
            meet: async () => undefined,
            close: async () => {},
          },
          close: async () => {
            transport.closedByWorker = true;
          },
        };
        transports.push(transport);
        return transport;
      },
      fetchBlob: async () => {
        throw new Error('there are no blobs');
      },
      log: (line) => lines.push(line),
    },
    (status: WorkerStatus) => {
      if (phases.at(-1) !== status.phase) phases.push(status.phase);
    },
  );
  return { worker, clock, sockets, transports, phases, lines };
}

/** Lets everything that needs no time happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

const assign = (runId: string): CoordinatorMessage => ({
  type: 'assign',
  runId,
  generation: 1,
  rank: 0,
  members: [{ rank: 0, workerId: 'w1', peerId: 'w1-0' }],
  linkKeys: {},
  leases: [],
  spec: 'a'.repeat(64),
  stateHolders: [],
  committedRounds: 0,
  payloads: null,
});

async function joined(openTransport?: (attempt: number) => void) {
  const world = start(openTransport);
  await settle();
  const socket = world.sockets[0]!;
  socket.welcome('w1');
  await settle();
  return { ...world, socket };
}

describe('a worker', () => {
  test('joins, opens its transport and says that it is available', async () => {
    const { socket, phases } = await joined();
    expect(socket.heard[0]).toMatchObject({ type: 'hello', runtime: 'node', device: { kind: 'cpu' } });
    expect(socket.heard[1]).toEqual({ type: 'available', peerId: 'w1-0' });
    expect(phases).toEqual(['starting', 'connecting', 'waiting']);
  });

  test('makes later links with the TURN credentials that it heard last', async () => {
    const { socket, transports, clock } = await joined();
    expect(transports[0]!.iceServers).toEqual([]);
    const fresh = [{ urls: ['turn:turn.example.org'], username: '1700000000:w1', credential: 'c' }];
    socket.say({ type: 'iceServers', iceServers: fresh });
    expect(transports[0]!.iceServers).toEqual(fresh);
    // Signalling that is opened again must not go back to those of the welcome.
    transports[0]!.fail('gone');
    await clock.advanceSettled(1_000);
    expect(transports[1]!.iceServers).toEqual(fresh);
  });

  test('says so again, with the same transport, after a lost socket', async () => {
    const { clock, socket, sockets, transports, phases } = await joined();
    socket.onclose?.({ code: 1006, reason: '' });
    clock.advance(1000);
    sockets[1]!.welcome('w1');
    await settle();
    expect(sockets[1]!.heard[0]).toMatchObject({ identity: { workerId: 'w1', secret: 's' } });
    expect(sockets[1]!.types).toEqual(['available']);
    expect(transports).toHaveLength(1);
    expect(phases.slice(2)).toEqual(['waiting', 'reconnecting', 'waiting']);
  });

  test('starts over with a new transport when the coordinator knows it by another identity', async () => {
    const { clock, socket, sockets, transports } = await joined();
    socket.onclose?.({ code: 1006, reason: '' });
    clock.advance(1000);
    sockets[1]!.welcome('w2');
    await settle();
    expect(transports.map(({ closedByWorker }) => closedByWorker)).toEqual([true, false]);
    expect(sockets[1]!.heard.at(-1)).toEqual({ type: 'available', peerId: 'w2-1' });
  });

  test('opens signalling again when it is lost, and keeps trying while it is down', async () => {
    const { clock, socket, transports, lines } = await joined((attempt) => {
      if (attempt === 2 || attempt === 3) throw new Error('signalling is down');
    });
    transports[0]!.fail('the server went away');
    await settle();
    expect(transports[0]!.closedByWorker).toBe(true);
    clock.advance(500);
    await settle();
    clock.advance(1000);
    await settle();
    expect(socket.heard.at(-1)).toEqual({ type: 'available', peerId: 'w1-1' });
    expect(lines).toEqual([
      'Signalling was lost (the server went away); opening it again.',
      "Signalling can't be reached yet: signalling is down",
    ]);
  });

  test('hands over when paused, announces nothing meanwhile, and is available again when it goes on', async () => {
    const { worker, clock, socket, sockets, phases } = await joined();
    worker.pause();
    worker.pause();
    expect(socket.types).toEqual(['available', 'leaving']);
    expect(phases.at(-1)).toBe('paused');
    socket.onclose?.({ code: 1006, reason: '' });
    clock.advance(1000);
    sockets[1]!.welcome('w1');
    await settle();
    expect(sockets[1]!.types).toEqual([]);
    expect(phases.at(-1)).toBe('paused');
    worker.resume();
    expect(sockets[1]!.types).toEqual(['available']);
    expect(phases.at(-1)).toBe('waiting');
  });

  test('leaves at once when no run needs it', async () => {
    const { worker, socket, transports, phases } = await joined();
    expect(await worker.leave('bye')).toEqual({ kind: 'left', reason: 'bye' });
    expect(socket.types).toEqual(['available', 'leaving']);
    expect(transports[0]!.closedByWorker).toBe(true);
    expect(phases.slice(-2)).toEqual(['leaving', 'ended']);
  });

  test('waits for its release before it leaves a run', async () => {
    const { worker, socket } = await joined();
    socket.say(assign('r1'));
    let left = false;
    const leaving = worker.leave('bye').then(() => (left = true));
    await settle();
    expect(left).toBe(false);
    socket.say({ type: 'release', runId: 'r1', reason: 'handed over' });
    await leaving;
    expect(left).toBe(true);
  });

  test('leaves a run after ten seconds, whatever the coordinator does', async () => {
    const { worker, clock, socket } = await joined();
    socket.say(assign('r1'));
    const leaving = worker.leave('bye');
    await settle();
    clock.advance(10_000);
    expect(await leaving).toEqual({ kind: 'left', reason: 'bye' });
  });

  test('ends when it is refused, and when it is sent away', async () => {
    const refused = start();
    await settle();
    refused.sockets[0]!.say({ type: 'refused', code: 'TOKEN_REQUIRED', message: 'No token.' });
    expect(await refused.worker.ended).toEqual({
      kind: 'refused',
      reason: 'No token. (TOKEN_REQUIRED)',
      code: 'TOKEN_REQUIRED',
    });

    const { worker, socket } = await joined();
    socket.say({ type: 'shutdown', reconnect: false, reason: 'the end' });
    expect(await worker.ended).toEqual({ kind: 'sentAway', reason: 'the end' });
  });
});
