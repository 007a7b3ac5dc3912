import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';
import {
  applicationAnswer,
  exampleAnswer,
  applicationsAnswer,
  tryAnswer,
} from '../../../../shared/api/servingAnswers.ts';
import { servingReportOf } from '../serving/servingReportOf.ts';

let coordinator: Coordinator;
let server: Server;
const asked: string[] = [];
const logged: string[] = [];
beforeAll(async () => {
  coordinator = await startCoordinator({
    port: 0,
    adminToken: 'boss',
    log: ({ message }) => void logged.push(message),
  });
  server = createServer(({ url, headers }, response) => {
    asked.push(`${url} ${headers.authorization}`);
    response.end('[{"predictions": 0.5}]');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await coordinator.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: unknown,
  token = 'boss',
): Promise<{ status: number; json: unknown }> {
  const answer = await fetch(`${coordinator.url}/api/v1/applications${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

describe('Served applications over HTTP', () => {
  it('are told by their servers, and read by the owner', async () => {
    const { port } = server.address() as AddressInfo;
    const report = servingReportOf({ port, url: `http://127.0.0.1:${port}/` });
    expect((await ask('PUT', '/late', report)).status).toBe(200);
    expect((await ask('PUT', '/late', { ...report, byStatus: { 200: 40, 500: 10 } })).status).toBe(200);
    const { applications } = applicationsAnswer.parse((await ask('GET', '')).json);
    expect(applications).toMatchObject([
      { name: 'late', status: 'running', routePrefix: '/late', recent: { requests: 50, errors: 10 } },
    ]);
    const told = applicationAnswer.parse((await ask('GET', '/late')).json);
    expect(told.report!.deployments).toEqual(report.deployments);
    expect(told.points.reduce((sum, { requests }) => sum + requests, 0)).toBe(50);
    expect((await ask('GET', '/other')).status).toBe(404);
    expect(exampleAnswer.parse((await ask('GET', '/late/example')).json)).toEqual({});
  });

  it('get a request passed on to the address that they were heard from, with a key that is kept nowhere', async () => {
    const answer = tryAnswer.parse(
      (await ask('POST', '/late/try', { body: '[{}]', key: 'callers-key' })).json,
    );
    expect(answer).toMatchObject({ status: 200, body: '[{"predictions": 0.5}]' });
    expect(asked).toEqual(['/late Bearer callers-key']);
    const everything = JSON.stringify([
      (await ask('GET', '')).json,
      (await ask('GET', '/late')).json,
      logged,
    ]);
    expect(everything).not.toContain('callers-key');
  });

  it('get none at an address of the request, nor without the token', async () => {
    const elsewhere = { body: '[]', url: 'http://192.0.2.1/', address: '192.0.2.1', port: 80 };
    expect((await ask('POST', '/late/try', elsewhere)).status).toBe(400);
    expect((await ask('POST', '/other/try', { body: '[]' })).status).toBe(404);
    expect((await ask('POST', '/late/try', { body: '[]', key: 'a\r\nb' })).status).toBe(400);
    for (const token of [coordinator.tokens.join, 'other']) {
      expect((await ask('POST', '/late/try', { body: '[]' }, token)).status).toBe(401);
      expect((await ask('PUT', '/late', servingReportOf(), token)).status).toBe(401);
      expect((await ask('GET', '/late', undefined, token)).status).toBe(401);
    }
    expect(asked.length).toBe(1);
  });

  it.each<[what: string, change: object]>([
    ['an address that is none of the web', { url: 'file:///etc/passwd' }],
    ['a path that is more than one', { routePrefix: '/a HTTP/1.1' }],
    ['a port that can not be', { port: 0 }],
    ['a count below nothing', { byStatus: { 200: -1 } }],
    ['a status that is none', { byStatus: { ok: 1 } }],
    ['buckets of another histogram', { latencies: [1, 2] }],
    [
      'more fields than are told',
      {
        model: {
          summary: '',
          fields: Array.from({ length: 301 }, () => ({ name: 'x', kind: 'number' })),
          fieldCount: 301,
        },
      },
    ],
    ['what nobody knows', { rows: [] }],
  ])('may not tell %s', async (_, change) => {
    expect((await ask('PUT', '/late', { ...servingReportOf(), ...change })).status).toBe(400);
  });

  it('are forgotten when their server says that they ended for good', async () => {
    expect((await ask('PUT', '/..%2f', servingReportOf())).status).toBe(400);
    expect((await ask('POST', '/late/forget', {})).status).toBe(200);
    expect((await ask('GET', '')).json).toEqual({ applications: [] });
  });
});
