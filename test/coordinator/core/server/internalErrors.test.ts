// Defects of a coordinator: told to the log, and to the asker no more than where in the log.

import { expect, it } from 'vitest';
import type { LogEntry } from '../../../../coordinator/log/log.ts';
import { AttemptThrottle } from '../../../../coordinator/core/pool/attemptThrottle.ts';
import { AccessControl } from '../../../../coordinator/core/http/access.ts';
import { createCoordinatorServer } from '../../../../coordinator/core/http/httpServer.ts';
import { TrustedProxies } from '../../../../coordinator/core/http/proxies.ts';
import { TrafficMeter } from '../../../../coordinator/core/http/trafficMeter.ts';
import { systemClock } from '../../../../shared/clock.ts';

it('are answered with the number under which the log has them, and with nothing else', async () => {
  const log: LogEntry[] = [];
  const server = createCoordinatorServer({
    routes: [
      {
        method: 'GET',
        path: '/broken',
        access: 'public',
        traffic: 'api',
        handle: () => Promise.reject(new Error('marked detail')),
      },
    ],
    access: new AccessControl({
      tokens: { admin: 'admin' },
      workers: { bySecret: () => ({ type: 'wrong' }) },
      attempts: new AttemptThrottle(systemClock),
      allowedHosts: undefined,
      proxies: new TrustedProxies([]),
      allowedOrigins: [],
    }),
    meter: new TrafficMeter(),
    log: (entry) => void log.push(entry),
  });
  const port = await server.listen(0, '127.0.0.1');
  try {
    const response = await fetch(`http://127.0.0.1:${port}/broken?token=marked-secret`);
    const text = await response.text();
    expect([response.status, text]).toEqual([500, expect.not.stringContaining('marked')]);
    const { code, message } = (JSON.parse(text) as { error: { code: string; message: string } }).error;
    expect(code).toBe('INTERNAL');
    const [, id] = /its log says how, under ([0-9a-f]{12})\.$/.exec(message)!;
    expect(log).toHaveLength(1);
    expect(log[0]).toMatchObject({ level: 'error', kind: 'failed' });
    expect(log[0]!.message).toMatch(new RegExp(`^GET /broken failed, ${id}: Error: marked detail\\n +at `));
    expect(log[0]!.message).not.toContain('marked-secret');
  } finally {
    await server.close();
  }
});
