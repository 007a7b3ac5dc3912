import { beforeEach, describe, expect, it } from 'vitest';
import { BanList, MAX_BANS, type Ban } from '../../../../coordinator/core/pool/banList.ts';
import { lieReason } from '../../../../coordinator/core/pool/lieEvidence.ts';
import {
  TrustLedger,
  type RecordedLie,
  type TrustRecord,
} from '../../../../coordinator/core/pool/trustLedger.ts';
import { trustOf } from '../../../../coordinator/core/pool/workerTrust.ts';
import { ManualClock } from '../../../setup/manualClock.ts';

const evidence = { what: 'another sum', runId: 'r', round: 7 };

/** A record in memory that counts its writes, and fails when told to. */
class Memory implements TrustRecord {
  readonly passed = new Map<string, number>();
  readonly told: RecordedLie[] = [];
  writes = 0;
  fails = false;

  checks = (): Promise<Map<string, number>> => Promise.resolve(new Map(this.passed));
  lies = (): Promise<RecordedLie[]> => Promise.resolve([...this.told]);
  saveChecks = (changes: ReadonlyMap<string, number>): Promise<void> =>
    this.#write(() => {
      for (const [workerId, passed] of changes) this.passed.set(workerId, passed);
    });
  addLie = (lie: RecordedLie): Promise<void> => this.#write(() => this.told.push(lie));
  pardon = (workerId: string): Promise<void> =>
    this.#write(() => {
      this.passed.delete(workerId);
      this.told.splice(0, this.told.length, ...this.told.filter((lie) => lie.workerId !== workerId));
    });

  async #write(change: () => void): Promise<void> {
    await Promise.resolve();
    this.writes += 1;
    if (this.fails) throw new Error('no disk');
    change();
  }
}

describe('The ledger of trust', () => {
  let clock: ManualClock;
  let record: Memory;
  let bans: BanList;
  let saved: Ban[];
  let logged: string[];
  let ledger: TrustLedger;

  const open = async (): Promise<TrustLedger> =>
    TrustLedger.open({
      record,
      bans,
      clock,
      log: ({ level, message }) => logged.push(`${level} ${message}`),
      date: () => 1_000,
    });

  beforeEach(async () => {
    clock = new ManualClock();
    record = new Memory();
    saved = [];
    logged = [];
    bans = await BanList.open({
      all: () => Promise.resolve([]),
      save: (ban) => Promise.resolve(void saved.push(ban)),
      remove: () => Promise.resolve(),
    });
    ledger = await open();
  });

  it('bans who lied when a coordinator that was killed had recorded the lie and no ban', async () => {
    record.told.push({ lieId: '1', workerId: 'w-liar', evidence, foundAtMs: 500 });
    await (await open()).close();
    expect(bans.list()).toMatchObject([{ kind: 'worker', value: 'w-liar', bannedAtMs: 500 }]);
  });

  it('leaves places in the list of bans to the owner, however many lie', async () => {
    await bans.add({ kind: 'worker', value: 'w-owners', reason: 'noise', bannedAtMs: 1 });
    for (let i = 0; i < MAX_BANS; i += 1) ledger.convict(`w-${i}`, evidence);
    await ledger.close();
    expect(bans.size).toBe(MAX_BANS - 1_000);
    expect(bans.find('w-owners', '')).toBeDefined();
    expect(bans.find(`w-${MAX_BANS - 1}`, '')).toBeDefined();
    expect(bans.find('w-0', '')).toBeUndefined();
    expect(logged).toEqual([]);
  });

  it('writes many checks at once, and the next life goes on from them', async () => {
    for (let i = 0; i < 500; i += 1) ledger.pass(`w-${i % 3}`, 1);
    expect([ledger.checksPassed('w-0'), record.writes]).toEqual([167, 0]);
    clock.advance(2_000);
    await expect.poll(() => record.passed.get('w-2')).toBe(166);
    expect(record.writes).toBe(1);
    ledger.pass('w-0', 5);
    await ledger.close();
    expect([(await open()).checksPassed('w-0'), record.writes]).toEqual([172, 2]);
  });

  it('voids the checks of a liar, counts no more of them, and begins anew after a pardon', async () => {
    ledger.pass('w-a', 20);
    expect(ledger.convict('w-a', evidence)).toBe('another sum (run r, round 7)');
    expect([ledger.pass('w-a', 3), ledger.checksPassed('w-a')]).toEqual([0, 0]);
    const lies = await ledger.pardon('w-a');
    expect(lies).toMatchObject([{ workerId: 'w-a', evidence, foundAtMs: 1_000 }]);
    expect(saved).toEqual([
      { kind: 'worker', value: 'w-a', reason: 'another sum (run r, round 7)', bannedAtMs: 1_000 },
    ]);
    expect([await ledger.pardon('w-a'), ledger.pass('w-a', 1)]).toEqual([[], 1]);
    await ledger.close();
    const next = await open();
    expect([next.checksPassed('w-a'), next.lies('w-a'), logged]).toEqual([1, [], []]);
  });

  it('remembers lies in the next life', async () => {
    ledger.pass('w-a', 20);
    ledger.convict('w-a', evidence);
    await ledger.close();
    const next = await open();
    expect([next.pass('w-a', 1), next.lies('w-a')]).toMatchObject([0, [{ evidence }]]);
  });

  it('tries again later where checks can not be written, and says so', async () => {
    record.fails = true;
    ledger.pass('w-a', 2);
    clock.advance(2_000);
    await expect
      .poll(() => logged)
      .toEqual(['error Passed checks of workers could not be recorded: no disk']);
    record.fails = false;
    ledger.pass('w-a', 1);
    clock.advance(29_999);
    expect(record.passed.size).toBe(0);
    clock.advance(1);
    await expect.poll(() => record.passed.get('w-a')).toBe(3);
  });

  it('logs a lie that can not be recorded, and a ban that has no room', async () => {
    for (let i = 0; i < MAX_BANS; i += 1)
      await bans.add({ kind: 'worker', value: `w-${i}`, reason: 'x', bannedAtMs: 1 });
    record.fails = true;
    ledger.convict('w-a', evidence);
    await ledger.close();
    expect(logged).toEqual([
      'error The lie of worker w-a could not be recorded: no disk',
      expect.stringMatching(
        /^error Worker w-a lied \(another sum .*could not be banned: There are 10000 bans/,
      ),
    ]);
    await expect(ledger.pardon('w-a')).rejects.toThrow('no disk');
    expect(ledger.lies('w-a')).toHaveLength(1);
  });
});

describe('Trust in a worker', () => {
  it.each([
    [true, 0, 'owners'],
    [false, 0, 'unproven'],
    [false, 9, 'unproven'],
    [false, 10, 'proven'],
  ])('of the owner (%s) with %i passed checks is "%s"', (isOwners, checksPassed, trust) => {
    expect(trustOf({ isOwners, checksPassed })).toBe(trust);
  });
});

describe('The reason of a ban for a lie', () => {
  it('names what is known of the lie', () => {
    const shards = ['a', 'b', 'c', 'd', 'e', 'f'];
    expect(lieReason({ what: 'x' })).toBe('x');
    expect(lieReason({ what: 'x', round: 0, level: 0, shards: ['a'] })).toBe('x (round 0, level 0, shard a)');
    expect(lieReason({ what: 'x', runId: 'r', shards, claimed: '1', found: '2' })).toBe(
      'x (run r, shards a and b and c and d and 2 more, claimed 1, found 2)',
    );
  });

  it('has 300 characters at most', () => {
    expect(lieReason({ what: 'x'.repeat(300) })).toBe('x'.repeat(300));
    expect(lieReason({ what: 'x'.repeat(301) })).toBe(`${'x'.repeat(299)}…`);
  });
});
