// A load generator in a process of its own: raw sockets kept alive, one request on each at a time. It takes apart no
// more of an answer than its status and length, so that it costs little beside the server.

import { connect, type Socket } from 'node:net';

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly body: string;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadReport {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
}

/** A socket that has answered nothing for so long ends the measurement. */
const STALL_MS = 10_000;

function runLoad({ port, connections, body, warmUpMs, measureMs }: LoadOrder): Promise<LoadReport> {
  const request = Buffer.from(
    `POST / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const measureFrom = startedAt + warmUpMs;
    const endAt = measureFrom + measureMs;
    const latencies: number[] = [];
    let failures = 0;
    let open = connections;
    const finish = (): void => {
      latencies.sort((a, b) => a - b);
      const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN;
      resolve({
        requestsPerSecond: (latencies.length / measureMs) * 1_000,
        p50Ms: at(0.5),
        p99Ms: at(0.99),
        failures,
      });
    };
    for (let i = 0; i < connections; i++) {
      const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.setTimeout(STALL_MS, () => socket.destroy(new Error('no answer')));
      let sentAt = 0;
      let received = '';
      const send = (): void => {
        sentAt = performance.now();
        received = '';
        socket.write(request);
      };
      socket.on('connect', send);
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString('latin1');
        const headEnd = received.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0);
        if (received.length < headEnd + 4 + length) return;
        const now = performance.now();
        if (!received.startsWith('HTTP/1.1 200')) failures += 1;
        if (sentAt >= measureFrom && now < endAt) latencies.push(now - sentAt);
        if (now < endAt) send();
        else socket.end();
      });
      socket.on('error', reject);
      socket.on('close', () => {
        open -= 1;
        if (open === 0) finish();
      });
    }
  });
}

process.on('message', (order: LoadOrder) => {
  void runLoad(order).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
