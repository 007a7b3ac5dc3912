// What real workers say of themselves and their machine when they join: what docs/volunteering.md lists, and nothing else.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorkers, type LocalWorkers } from '../../../coordinator/cluster/local/localWorkers.ts';
import { startCoordinator, type Coordinator } from '../../../coordinator/core/server/coordinator.ts';
import { workerMessage } from '../../../shared/protocol/control.ts';

const runtimes = ['browser', 'deno', 'node'] as const;
const told = new Map<string, unknown>();
let coordinator: Coordinator;
let workers: LocalWorkers;

beforeAll(async () => {
  coordinator = await startCoordinator({ port: 0, log: () => undefined });
  const { pool } = coordinator;
  const attach = pool.attach.bind(pool);
  pool.attach = (connection) => {
    const events = attach(connection);
    return {
      ...events,
      closed: events.closed.bind(events),
      pong: events.pong.bind(events),
      message: (text) => {
        const said = JSON.parse(text) as { type: string; runtime?: string };
        if (said.type === 'hello') told.set(said.runtime ?? '', said);
        events.message(text);
      },
    };
  };
  const { url, tokens } = coordinator;
  workers = await startLocalWorkers({
    url,
    token: tokens.join,
    count: runtimes.length,
    runtime: runtimes,
    device: 'cpu',
    allowCode: false,
  });
});
afterAll(async () => {
  await workers?.stop();
  await coordinator.close();
});

/** Paths of all values in it. */
function fieldsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    fieldsOf(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** The first column of the table. */
function listed(): string[] {
  const text = readFileSync('docs/volunteering.md', 'utf8');
  const [, table = ''] = /\| told when it joins \|.*\n((?:\|.*\n)+)/.exec(text) ?? [];
  return table
    .split('\n')
    .flatMap((row) => Array.from((row.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g), ([, field]) => field!));
}

describe.each(runtimes)('The hello of a %s worker', (runtime) => {
  it('has no field that volunteers are not told of', () => {
    const fields = fieldsOf(told.get(runtime));
    expect(fields).toEqual(expect.arrayContaining(['protocol', 'runtime', 'device.kind', 'cores', 'token']));
    expect(fields.filter((field) => !listed().includes(field))).toEqual([]);
  });
});

it('the list names what a hello can have, and no more', () => {
  const hello = workerMessage.options.find((option) => option.shape.type.value === 'hello')!;
  const most = {
    type: 'hello',
    protocol: 6,
    token: 't',
    identity: { workerId: 'w', secret: 's', other: 1 },
    life: 'l',
    runtime: 'node',
    name: 'n',
    device: { kind: 'cpu', name: 'x', reason: 'r', memoryBytes: 1 },
    cores: 1,
    programs: 'any',
    timeZone: 'CET',
  };
  // What else a worker sends is dropped.
  expect(fieldsOf(hello.parse(most)).sort()).toEqual(listed().sort());
  expect(Object.keys(hello.shape).sort()).toEqual(
    [...new Set(listed().map((field) => field.split('.')[0] ?? ''))].sort(),
  );
});
