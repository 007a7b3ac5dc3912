import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { tryApplication } from '../../../../coordinator/core/serving/tryApplication.ts';
import { deployment, Serve } from '../../../../coordinator/serve/serve.ts';
import type { ServingReport } from '../../../../shared/api/servingAnswers.ts';
import { servingReportOf } from './servingReportOf.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A server that answers as it is told, as an application of it. */
async function application(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
) {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => answer(request, body, response));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { report: servingReportOf({ port, url: 'http://callers.example/' }), address: '127.0.0.1' };
}

const signal = new AbortController().signal;

describe('A request that is passed on', () => {
  it('is posted to the route of the application, under the name that callers use, with the key', async () => {
    const heard = await application(({ method, url, headers }, body, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify([method, url, headers.host, headers.authorization, body]));
    });
    const answer = await tryApplication(heard, { body: '[{"hour": "ü"}]', key: 'secret', signal });
    expect(answer).toMatchObject({ status: 200, contentType: 'application/json' });
    expect(JSON.parse(answer.body)).toEqual([
      'POST',
      '/late',
      'callers.example',
      'Bearer secret',
      '[{"hour": "ü"}]',
    ]);
  });

  it('ends with a redirect, wherever that leads', async () => {
    let asked = 0;
    const other = await application((_request, _body, response) => void (asked++, response.end('other')));
    const heard = await application((_request, _body, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${other.report.port}/` }).end();
    });
    expect(await tryApplication(heard, { body: '[]', signal })).toMatchObject({ status: 307, body: '' });
    expect(asked).toBe(0);
  });

  it('is refused where the answer is too large, comes too late, or nothing answers', async () => {
    const large = await application((_request, _body, response) => void response.end('x'.repeat(2 ** 21)));
    await expect(tryApplication(large, { body: '[]', signal })).rejects.toMatchObject({
      code: 'APPLICATION_UNREACHABLE',
    });
    const slow = await application((_request, _body, response) => void response.write('x'));
    await expect(tryApplication(slow, { body: '[]', signal, timeoutMs: 200 })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    const gone = await application(() => undefined);
    await new Promise((resolve) => servers.pop()!.close(resolve));
    await expect(tryApplication(gone, { body: '[]', signal })).rejects.toMatchObject({
      code: 'APPLICATION_UNREACHABLE',
    });
  });

  it('is refused where the server goes over to another protocol', async () => {
    const server = createServer();
    servers.push(server);
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const heard = {
      report: servingReportOf({ port, url: 'http://callers.example/' }),
      address: '127.0.0.1',
    };
    await expect(tryApplication(heard, { body: '[]', signal })).rejects.toMatchObject({
      code: 'APPLICATION_UNREACHABLE',
      message: expect.stringContaining('101') as string,
    });
  });

  it('trusts the authority that the server made for itself, and no other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tabgrad-try-'));
    const reports = new Map<string, ServingReport>();
    const serve = new Serve({
      log: () => undefined,
      reports: {
        report: (name, report) => Promise.resolve(void reports.set(name, report)),
        forget: () => Promise.resolve(),
      },
    });
    class Echo {
      call(): string {
        return 'over tls';
      }
    }
    try {
      await serve.run(deployment(Echo), {
        name: 'echo',
        routePrefix: '/echo',
        port: 0,
        tls: { selfMadeIn: folder },
      });
      const report = reports.get('echo')!;
      expect(report.url).toMatch(/^https:/);
      const heard = { report, address: '127.0.0.1' };
      expect(await tryApplication(heard, { body: '{}', signal })).toMatchObject({
        status: 200,
        body: 'over tls',
      });
      for (const other of [
        { ...report, tls: {} },
        { ...report, url: 'https://elsewhere.example/' },
      ]) {
        await expect(
          tryApplication({ report: other, address: '127.0.0.1' }, { body: '{}', signal }),
        ).rejects.toMatchObject({ code: 'APPLICATION_UNREACHABLE' });
      }
    } finally {
      await serve.shutdown();
      await rm(folder, { recursive: true });
    }
  });
});
