// A member that sends one of the others something else than the rest, in groups that really grow trees: what all heard of it
// tells the coordinator between whom the lie is, and does not depend on whose tree is the odd one.

import { afterEach, expect, it } from 'vitest';
import { judgeGathers } from '../../../coordinator/core/run/judgeGathers.ts';
import type { HeardGathers } from '../../../shared/protocol/control.ts';
import { decodeFrame, encodeFrame } from '../../../shared/wire/frame.ts';
import { RUN, SessionWorld, formGroup, smallRun } from './sessionWorld.ts';

const members = ['w0', 'w1', 'w2', 'w3'];
/** The liar searches the feature that most splits are on. */
const [victim, liar] = ['w2', 'w0'];

const worlds: SessionWorld[] = [];
afterEach(async () => {
  await Promise.all(worlds.splice(0).map((world) => world.close()));
});

/** The liar sends the victim that it found no split, in the gather of that number in the first round. */
async function start(gather: number): Promise<SessionWorld> {
  const world = new SessionWorld();
  worlds.push(world);
  let gathers = 0;
  world.tamper = (from, to, message) => {
    if (from !== liar || to !== victim) return message;
    const frame = decodeFrame(message, from);
    if (frame.kind !== 'data' || frame.elementType !== 'bytes') return message;
    gathers += 1;
    if (gathers !== gather + 1) return message;
    const nodes = 2 ** gather;
    const { payload: _, ...header } = frame;
    return encodeFrame({ ...header, totalBytes: 1 + nodes }, new Uint8Array(1 + nodes));
  };
  const run = smallRun(world, 8, 3);
  for (const id of members) world.addWorker(id);
  await formGroup(world, run, 1, members);
  world.sayAll(members, { type: 'begin', runId: RUN, generation: 1 });
  return world;
}

type Heard = Map<string, readonly HeardGathers[]>;

function halt(world: SessionWorld): void {
  const reason = 'they differ';
  world.sayAll(members, { type: 'halt', runId: RUN, generation: 1, when: 'now', knownRounds: 0, reason });
}

/** What all answer to a halt, which comes as soon as one of them can not go on. */
async function heardAfterStall(world: SessionWorld): Promise<Heard> {
  const answers = members.map(async (id) => {
    for (;;) {
      const message = await world.hearAny(id, ['stalled', 'halted']);
      if (message.type === 'halted') return [id, message.heard ?? []] as const;
      halt(world);
    }
  });
  return new Map(await Promise.all(answers));
}

function heardAfterHalt(world: SessionWorld): Promise<Heard> {
  halt(world);
  return heardAfterStall(world);
}

const quarrel = { liars: new Set(), misled: new Set([victim]), quarrels: [[victim, liar]] };

it('in the last level of a tree, which nobody reads anything of any more', async () => {
  const world = await start(3);
  const hashes = await Promise.all(
    members.map(async (id) => (await world.hear(id, 'committed')).payloadSha256),
  );
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[3]).toBe(hashes[0]);
  expect(hashes[2]).not.toBe(hashes[0]);
  expect(judgeGathers(await heardAfterHalt(world), members)).toEqual(quarrel);
});

it('in a level before it, after which nobody can read what the victim sends', async () => {
  const world = await start(2);
  expect(judgeGathers(await heardAfterStall(world), members)).toEqual(quarrel);
});

it('not at all: all heard the same', async () => {
  const world = await start(1000);
  const committed = await Promise.all(members.map((id) => world.hear(id, 'committed')));
  expect(new Set(committed.map(({ payloadSha256 }) => payloadSha256)).size).toBe(1);
  const heard = await heardAfterHalt(world);
  expect([...heard.values()].every((rows) => rows.length === 2)).toBe(true);
  expect(judgeGathers(heard, members)).toEqual({ liars: new Set(), misled: new Set(), quarrels: [] });
});
