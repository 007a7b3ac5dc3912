// Kill -9 at random moments: whatever the record promised before is there afterwards. In whatever database.

import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../../../coordinator/core/store/openStore.ts';
import { openWhenFree } from '../../../../coordinator/core/store/openWhenFree.ts';
import { repeated } from '../../../setup/longRun.ts';
import { seededRandom } from '../../../setup/seededRandom.ts';
import { committed, requestOf } from './storeFacts.ts';

const KILLS = repeated(100, 20);
const DEADLINE_MS = 20_000;
/** Under node_modules' parent, where the bundle finds its packages. */
const bundled = resolve('.cache/killedWriter.mjs');

/** Where writers write; one after the other. */
export interface WriterPlace {
  readonly folder: string;
  readonly databaseUrl?: string;
  remove(): Promise<void>;
}

export function describeKilledWriter(kind: string, make: () => Promise<WriterPlace>): void {
  describe(`A record in ${kind} whose writer is killed`, () => {
    let place: WriterPlace;
    beforeAll(async () => {
      place = await make();
      await mkdir('.cache', { recursive: true });
      const bundle = await rolldown({
        input: 'test/coordinator/core/store/killedWriter.ts',
        platform: 'node',
        external: ['libsql', 'pg'],
      });
      await bundle.write({ file: bundled, format: 'esm' });
      await bundle.close();
    });
    afterAll(() => place.remove());

    it(`has every fact that was promised, after each of ${KILLS} kills`, { timeout: 240_000 }, () =>
      killAgainAndAgain(place),
    );
  });
}

interface Promised {
  readonly runId: string;
  readonly rounds: number;
  readonly events: number;
  readonly status: string;
}

/** A writer that waits for its turn: meanwhile its program loads. */
function prepareWriter(place: WriterPlace, kill: number): ChildProcessWithoutNullStreams {
  const words = [bundled, place.folder, `k${kill}`, String(kill), place.databaseUrl ?? ''];
  return spawn(process.execPath, words, { timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
}

/** Lets a writer say `lines` lines, waits `delayMs` and kills it. @returns what it said, the last word for each run. */
async function killWriter(
  child: ChildProcessWithoutNullStreams,
  lines: number,
  delayMs: number,
): Promise<Promised[]> {
  let [said, complaints, armed] = ['', '', false];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (armed || said.split('\n').length <= lines) return;
    armed = true;
    setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  child.stdin.on('error', () => undefined).write('go\n');
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  expect([signal, complaints]).toEqual(['SIGKILL', '']);
  const promised = new Map<string, Promised>();
  for (const line of said.split('\n').slice(1, -1)) {
    const [runId = '', rounds, events, status = ''] = line.split(' ');
    promised.set(runId, { runId, rounds: Number(rounds), events: Number(events), status });
  }
  return [...promised.values()];
}

async function check(place: WriterPlace, promised: readonly Promised[]): Promise<void> {
  // A server needs a moment to notice that a client is gone, and keeps its lock so long.
  const store = await openWhenFree(() => openStore({ ...place, durable: true, onError: () => undefined }), {
    onWaiting: () => undefined,
    pause: () => new Promise((resolve) => setTimeout(resolve, 2)),
  });
  for (const { runId, rounds, events, status } of promised) {
    const kept = await store.runs.rounds(runId);
    // More than was promised may be there: the write in flight. It is there as a whole, in order.
    expect(kept.length).toBeGreaterThanOrEqual(rounds);
    expect(kept).toEqual(kept.map((_, round) => committed(round)));
    const told = await store.runs.events(runId, 0, 10_000);
    expect(told.length).toBeGreaterThanOrEqual(events);
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, i) => i + 1));
    const isOver = told.at(-1)?.event.type === 'end';
    expect(await store.runs.summary(runId)).toMatchObject({ status: isOver ? 'finished' : 'running' });
    if (status === 'finished') expect(isOver).toBe(true);
  }
  const unfinished = await store.runs.unfinished();
  for (const { request } of unfinished) expect(request).toEqual(requestOf(request.runId));
  await store.close();
}

async function killAgainAndAgain(place: WriterPlace): Promise<void> {
  const random = seededRandom(20_260_611);
  const everything: Promised[] = [];
  let next = prepareWriter(place, 0);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const writer = next;
    next = prepareWriter(place, kill + 1);
    const lines = 1 + Math.floor(random() ** 2 * 60);
    const promised = await killWriter(writer, lines, random() < 0.5 ? 0 : random() * 6);
    await check(place, promised);
    everything.push(...promised);
  }
  next.kill('SIGKILL');
  await check(place, everything);
  expect(everything.length).toBeGreaterThan(KILLS);
  expect(everything.some(({ status }) => status === 'running')).toBe(true);
}
