import { describe, expect, it } from 'vitest';
import { Admission, type Verdict } from '../../../../coordinator/core/pool/admission.ts';
import { BanList, MAX_BANS, type Ban, type BanRecord } from '../../../../coordinator/core/pool/banList.ts';
import { PROTOCOL_VERSION, type WorkerMessageOf } from '../../../../shared/protocol/control.ts';

const ADDRESS = '192.0.2.7';
const hello: WorkerMessageOf<'hello'> = {
  type: 'hello',
  protocol: PROTOCOL_VERSION,
  runtime: 'node',
  device: { kind: 'cpu', name: 'x' },
  cores: 1,
};

class MemoryBans implements BanRecord {
  readonly bans = new Map<string, Ban>();
  all(): Promise<Ban[]> {
    return Promise.resolve([...this.bans.values()]);
  }
  save(ban: Ban): Promise<void> {
    this.bans.set(`${ban.kind} ${ban.value}`, ban);
    return Promise.resolve();
  }
  remove({ kind, value }: Pick<Ban, 'kind' | 'value'>): Promise<void> {
    this.bans.delete(`${kind} ${value}`);
    return Promise.resolve();
  }
}

const codeOf = (verdict: Verdict): string => (verdict.type === 'refused' ? verdict.code : verdict.type);

describe('Admission', () => {
  const identityOf = (admission: Admission, workerId: string, token: string) => ({
    workerId,
    secret: admission.secretOf(workerId, token),
  });

  it('knows a worker by the identity that it got, also in another life with the same key and token', () => {
    const options = { identityKey: 'key', joinTokens: () => ['a', 'b'] };
    const identity = identityOf(new Admission(options), 'w-1', 'b');
    expect(new Admission(options).judge({ ...hello, identity }, ADDRESS)).toEqual({
      type: 'known',
      workerId: 'w-1',
      joinToken: 'b',
    });
    const otherKey = new Admission({ ...options, identityKey: 'other' });
    expect(codeOf(otherKey.judge({ ...hello, identity }, ADDRESS))).toBe('TOKEN_REQUIRED');
  });

  it('refuses the identities of a token that was changed; with the new one they are new workers', () => {
    let tokens = ['old', 'local'];
    const admission = new Admission({ joinTokens: () => tokens });
    const identity = identityOf(admission, 'w-1', 'old');
    const local = identityOf(admission, 'w-2', 'local');
    tokens = ['new', 'local'];
    expect(codeOf(admission.judge({ ...hello, identity }, ADDRESS))).toBe('TOKEN_REQUIRED');
    expect(codeOf(admission.judge({ ...hello, identity, token: 'old' }, ADDRESS))).toBe('TOKEN_REQUIRED');
    expect(codeOf(admission.judge({ ...hello, identity, token: 'new' }, ADDRESS))).toBe('new');
    expect(codeOf(admission.judge({ ...hello, identity: local }, ADDRESS))).toBe('known');
    expect(['old', 'new', 'local'].map((token) => admission.isOutdated(token))).toEqual([true, false, false]);
    expect([admission.isOutdated('old', 'older'), admission.isOutdated('old', 'old')]).toEqual([false, true]);
  });

  it('tells a worker that was sent away why, and takes a lost one for a new one', () => {
    const admission = new Admission({ joinTokens: () => ['t'] });
    admission.forget('w-1', { reason: 'wrong sums' });
    admission.forget('w-2');
    const judge = (workerId: string): Verdict =>
      admission.judge({ ...hello, token: 't', identity: identityOf(admission, workerId, 't') }, ADDRESS);
    expect(judge('w-1')).toEqual({ type: 'refused', code: 'WORKER_REMOVED', message: 'wrong sums' });
    expect(judge('w-2')).toEqual({ type: 'new', joinToken: 't', formerId: 'w-2' });
    expect(judge('w-3')).toMatchObject({ type: 'known' });
  });

  it('knows a lost worker again in another life, unless it was sent away', () => {
    const admission = new Admission({ joinTokens: () => ['t'] });
    admission.forget('w-1', { lifeName: 'first' });
    admission.forget('w-2', { lifeName: 'first', reason: 'wrong sums' });
    const judge = (workerId: string, life?: string): string => {
      const identity = identityOf(admission, workerId, 't');
      return codeOf(admission.judge({ ...hello, ...(life && { life }), token: 't', identity }, ADDRESS));
    };
    expect([judge('w-1', 'second'), judge('w-1', 'first'), judge('w-1')]).toEqual(['known', 'new', 'new']);
    expect(judge('w-2', 'second')).toBe('WORKER_REMOVED');
    const verdict = { type: 'known', workerId: 'w-1', joinToken: 't' } as const;
    expect([admission.admit('w-1', verdict), admission.admit('w-1', verdict)]).toEqual([
      { lifeName: 'first' },
      undefined,
    ]);
    expect(judge('w-1', 'first')).toBe('known');
  });

  it('forgets the oldest of very many, which then keep their ids', () => {
    const admission = new Admission({});
    for (let i = 0; i <= 100_000; i++) admission.forget(`w-${i}`);
    const judge = (workerId: string): string =>
      codeOf(admission.judge({ ...hello, identity: identityOf(admission, workerId, '') }, ADDRESS));
    expect([judge('w-0'), judge('w-1'), judge('w-100000')]).toEqual(['known', 'new', 'new']);
  });
});

describe('Bans', () => {
  const ban = (kind: Ban['kind'], value: string): Ban => ({ kind, value, reason: 'spam', bannedAtMs: 5 });

  it('keep out the worker of an identity, and whoever comes from an address, with any token', async () => {
    const bans = await BanList.open(new MemoryBans());
    const admission = new Admission({ joinTokens: () => ['t'], bans });
    const identity = { workerId: 'w-1', secret: admission.secretOf('w-1', 't') };
    const judge = (more: object, address = ADDRESS): Verdict =>
      admission.judge({ ...hello, token: 't', ...more }, address);
    await bans.add(ban('worker', 'w-1'));
    await bans.add(ban('address', '2001:db8:1:2::/64'));
    expect(judge({ identity })).toEqual({
      type: 'refused',
      code: 'WORKER_BANNED',
      message: 'This worker is banned: spam',
    });
    // Who does not prove the identity is not banned by its name.
    expect(codeOf(judge({ identity: { ...identity, secret: 'guess' } }))).toBe('new');
    expect(judge({}, '2001:db8:1:2:aaaa::1')).toMatchObject({
      code: 'WORKER_BANNED',
      message: 'Workers of this address are banned: spam',
    });
    expect(codeOf(judge({}, '2001:db8:1:3::1'))).toBe('new');
    expect(await bans.lift('2001:db8:1:2::77')).toEqual([ban('address', '2001:db8:1:2::/64')]);
    expect(codeOf(judge({}, '2001:db8:1:2:aaaa::1'))).toBe('new');
    expect(await bans.lift('w-1')).toHaveLength(1);
    expect(await bans.lift('w-1')).toEqual([]);
    expect(codeOf(judge({ identity }))).toBe('known');
  });

  it('are read from the record, oldest first; one that is given again counts from then', async () => {
    const record = new MemoryBans();
    const bans = await BanList.open(record);
    await bans.add(ban('worker', 'w-1'));
    await bans.add(ban('worker', 'w-2'));
    await bans.add({ ...ban('worker', 'w-1'), reason: 'more spam', bannedAtMs: 9 });
    expect(bans.list().map(({ value, reason, bannedAtMs }) => [value, reason, bannedAtMs])).toEqual([
      ['w-2', 'spam', 5],
      ['w-1', 'more spam', 9],
    ]);
    expect((await BanList.open(record)).find('w-1', ADDRESS)?.reason).toBe('more spam');
  });

  it('are as many as the list takes; more are refused, and none is dropped for them', async () => {
    const record = new MemoryBans();
    for (let i = 0; i < MAX_BANS; i++) await record.save(ban('worker', `w-${i}`));
    const bans = await BanList.open(record);
    await expect(bans.add(ban('worker', 'w-more'))).rejects.toMatchObject({ code: 'BAN_LIST_FULL' });
    expect(record.bans.size).toBe(MAX_BANS);
    await bans.add(ban('worker', 'w-0'));
    await bans.lift('w-1');
    await bans.add(ban('worker', 'w-more'));
    expect(bans.find('w-more', ADDRESS)?.value).toBe('w-more');
  });

  it('that can not be recorded are not in force', async () => {
    const record = new MemoryBans();
    record.save = () => Promise.reject(new Error('disk full'));
    const bans = await BanList.open(record);
    await expect(bans.add(ban('worker', 'w-1'))).rejects.toThrow('disk full');
    expect(bans.find('w-1', ADDRESS)).toBeUndefined();
  });
});
