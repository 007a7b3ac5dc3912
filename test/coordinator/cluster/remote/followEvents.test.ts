import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { followEvents, keptEvents } from '../../../../coordinator/cluster/remote/followEvents.ts';

let close: () => Promise<void> = () => Promise.resolve();
afterEach(() => close());

/** A coordinator whose answers are these, one for each request. */
async function answering(
  ...answers: readonly ((response: ServerResponse, request: IncomingMessage) => void)[]
): Promise<{ readonly url: string; readonly after: (string | undefined)[] }> {
  const after: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    after.push(request.headers['last-event-id'] as string | undefined);
    answers[after.length - 1]!(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, after };
}

const joined = (id: number): string => `id: ${id}\ndata: {"type":"workerJoined","workerId":"w${id}"}\n\n`;
const patience = { outageMs: 10_000, pause: () => Promise.resolve() };

async function idsOf(url: string): Promise<string[]> {
  const signal = new AbortController().signal;
  const seen: string[] = [];
  for await (const event of followEvents('a run', { url, signal, token: undefined }, patience)) {
    seen.push(event.type === 'workerJoined' ? event.workerId : event.type);
  }
  return seen;
}

describe('Following the events of a run', () => {
  it('goes on after the last that came, however the connection ended', async () => {
    const { url, after } = await answering(
      (response) => response.write(joined(1) + joined(2), () => response.destroy()),
      (response) =>
        response.writeHead(503).end('{"error":{"code":"COORDINATOR_CLOSED","message":"closing"}}'),
      (response) => response.end(joined(3)),
      (response) => response.end(`${joined(4)}id: 5\ndata: {"type":"end","status":"finished"}\n\n`),
    );
    expect(await idsOf(url)).toEqual(['w1', 'w2', 'w3', 'w4', 'end']);
    expect(after).toEqual(['0', '2', '2', '3']);
  });

  it('ends at once when the coordinator does not know the run', async () => {
    const { url, after } = await answering((response) =>
      response.writeHead(404).end('{"error":{"code":"RUN_UNKNOWN","message":"no run"}}'),
    );
    await expect(idsOf(url)).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    expect(after).toHaveLength(1);
  });
});

describe('The events of a run that are kept', () => {
  async function kept(url: string): Promise<string[]> {
    const signal = new AbortController().signal;
    const seen: string[] = [];
    for await (const event of keptEvents('a run', { url, signal, token: undefined })) seen.push(event.type);
    return seen;
  }

  it('end with the answer, whether or not the run has ended', async () => {
    const { url } = await answering((response, request) =>
      response.end(
        request.url === '/api/v1/runs/a%20run/events?follow=false' ? joined(1) + joined(2) : undefined,
      ),
    );
    expect(await kept(url)).toEqual(['workerJoined', 'workerJoined']);
  });

  it('are not taken for whole when the connection breaks off', async () => {
    const { url } = await answering((response) => response.write(joined(1), () => response.destroy()));
    await expect(kept(url)).rejects.toMatchObject({ code: 'COORDINATOR_UNREACHABLE' });
  });
});
