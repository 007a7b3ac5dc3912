import { expect, it } from 'vitest';
import { openTransport } from '../../../client/runtime/openTransport.ts';
import type { PeerEndpoint } from '../../../client/transport/peerEndpoint.ts';
import { SignallingError, SignallingRefusedError } from '../../../client/transport/transportErrors.ts';

const open = (failure: Error) => {
  const lines: string[] = [];
  const opening = openTransport(() => Promise.reject<PeerEndpoint>(failure), {
    origin: 'http://127.0.0.1:9',
    welcome: {
      type: 'welcome',
      workerId: 'w1',
      secret: 's',
      signallingToken: 't',
      peerServer: { path: '/peerjs', key: 'k' },
      iceServers: [],
      pingIntervalMs: 1000,
    },
    signal: new AbortController().signal,
    log: (line) => void lines.push(line),
  });
  return { opening, lines };
};

it('a worker that signalling refuses for good works through the relay and says why', async () => {
  const { opening, lines } = open(new SignallingRefusedError('the id is taken'));
  const transport = await opening;
  expect(transport.peerId).toBe('w1');
  expect(lines.join()).toMatch(/refused.*relay.*the id is taken/);
  await transport.close();
});

it('a worker without WebRTC works through the relay', async () => {
  const { opening, lines } = open(new Error('no such module'));
  await (await opening).close();
  expect(lines.join()).toMatch(/no WebRTC.*relay.*no such module/);
});

it('a signalling server that does not answer is an error, so that the worker tries again', async () => {
  await expect(open(new SignallingError('no answer')).opening).rejects.toMatchObject({
    code: 'SIGNALLING_FAILED',
  });
});
