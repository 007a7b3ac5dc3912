// Workers of the pool without a process behind them: they said hello, answer pings, and keep what they are told.

import { PROTOCOL_VERSION, type CoordinatorMessage } from '../../../../shared/protocol/control.ts';
import type { Coordinator } from '../../../../coordinator/core/server/coordinator.ts';

const adapters = [
  { kind: 'webgpu', name: 'apple metal-3' },
  { kind: 'webgpu', name: 'nvidia ampere' },
  { kind: 'cpu', name: 'JavaScript', reason: 'no WebGPU adapter: the page is not served over https' },
];

export interface JoinedWorker {
  readonly workerId: string;
  readonly heard: CoordinatorMessage[];
  say(message: object): void;
}

export function joinWorkers(coordinator: Coordinator, count: number): JoinedWorker[] {
  return Array.from({ length: count }, (_, i) => {
    const heard: CoordinatorMessage[] = [];
    const end = coordinator.pool.attach({
      remoteAddress: '127.0.0.1',
      bufferedBytes: 0,
      send: (text) => void heard.push(JSON.parse(text) as CoordinatorMessage),
      ping: () => end.pong(),
      close: () => undefined,
      terminate: () => undefined,
    });
    end.message(
      JSON.stringify({
        type: 'hello',
        protocol: PROTOCOL_VERSION,
        token: coordinator.tokens.join,
        runtime: ['browser', 'deno', 'node'][i % 3],
        device: adapters[i % 3],
        cores: 4 + (i % 5),
        ...(i % 4 === 0 && { name: `volunteer ${i}` }),
      }),
    );
    const welcome = heard.find((message) => message.type === 'welcome');
    if (!welcome) throw new Error(`no welcome, but ${JSON.stringify(heard)}`);
    const { workerId } = welcome;
    const say = (message: object): void => end.message(JSON.stringify(message));
    say({ type: 'available', peerId: workerId });
    return { workerId, heard, say };
  });
}
