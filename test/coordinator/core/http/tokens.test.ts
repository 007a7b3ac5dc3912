import { describe, expect, it } from 'vitest';
import { Tokens, type TokenRecord } from '../../../../coordinator/core/http/tokens.ts';

class MemoryRecord implements TokenRecord {
  readonly settings = new Map<string, string>();
  savedSetting(name: string): Promise<string | undefined> {
    return Promise.resolve(this.settings.get(name));
  }
  changeSettings(changes: Readonly<Record<string, string | undefined>>): Promise<void> {
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) this.settings.delete(name);
      else this.settings.set(name, value);
    }
    return Promise.resolve();
  }
}

const none = { admin: undefined, join: undefined };

describe('Tokens', () => {
  const warnings: string[] = [];
  const open = (record: TokenRecord, given: Partial<typeof none | { admin: string; join: string }> = {}) =>
    Tokens.open(record, { ...none, ...given }, ({ message }) => void warnings.push(message));

  it('are made once and kept; the join token is new at the first start alone', async () => {
    const record = new MemoryRecord();
    const first = await open(record);
    for (const token of [first.admin, first.join, first.local]) expect(token).toMatch(/^[\w-]{43}$/);
    const second = await open(record);
    expect([second.admin, second.join]).toEqual([first.admin, first.join]);
    expect([first.isJoinNew, second.isJoinNew]).toEqual([true, false]);
    expect(second.local).not.toBe(first.local);
    expect(second.joining).toEqual([second.join, second.local]);
  });

  it('that are given are in force and not written down', async () => {
    const record = new MemoryRecord();
    const tokens = await open(record, { admin: 'boss', join: 'guest' });
    expect([tokens.admin, tokens.join, tokens.isJoinNew]).toEqual(['boss', 'guest', false]);
    expect(record.settings.size).toBe(0);
  });

  it('that were made are out of force for good once others are given', async () => {
    const record = new MemoryRecord();
    const made = await open(record);
    await open(record, { join: 'guest' });
    const later = await open(record);
    expect(later.admin).toBe(made.admin);
    expect(later.join).not.toBe(made.join);
    // The made one, given as it is, stays what it is.
    const given = await open(record, { join: later.join });
    expect([given.join, (await open(record)).join]).toEqual([later.join, later.join]);
  });

  it('that are changed are new at once and at the next start, also where the old one is still given', async () => {
    const record = new MemoryRecord();
    const tokens = await open(record, { join: 'guest' });
    const seen: string[] = [];
    const end = tokens.onChange(() => Promise.resolve(void seen.push(tokens.join)));
    const token = await tokens.rotate('join');
    expect([tokens.join, tokens.joining, seen]).toEqual([token, [token, tokens.local], [token]]);
    expect((await open(record)).join).toBe(token);
    expect(warnings.splice(0)).toEqual([]);
    expect((await open(record, { join: 'guest' })).join).toBe(token);
    expect(warnings.splice(0)).toEqual([
      'The join token that was given is not in force: it was changed. The one of the record is.',
    ]);
    expect((await open(record, { join: 'another' })).join).toBe('another');
    // One that is not in the record any more is not brought back by the change of another.
    expect((await open(record, { join: 'guest' })).join).not.toBe('guest');
    end();
    await tokens.rotate('join');
    expect(seen).toHaveLength(1);
    expect([...record.settings.values()].join()).not.toContain('guest');
  });

  it('are changed one after another when asked at the same time', async () => {
    const record = new MemoryRecord();
    const tokens = await open(record);
    const { join } = tokens;
    const made = await Promise.all([tokens.rotate('join'), tokens.rotate('join'), tokens.rotate('admin')]);
    expect(new Set([join, ...made]).size).toBe(4);
    expect([tokens.join, tokens.admin]).toEqual([made[1], made[2]]);
    const given = { join: made[0], admin: made[2] };
    const later = await open(record, given);
    expect([later.join, later.admin]).toEqual([made[1], made[2]]);
    warnings.splice(0);
  });

  it('stay as they are when the change can not be kept', async () => {
    const record = new MemoryRecord();
    const tokens = await open(record);
    const { admin } = tokens;
    record.changeSettings = () => Promise.reject(new Error('disk full'));
    await expect(tokens.rotate('admin')).rejects.toThrow('disk full');
    expect(tokens.admin).toBe(admin);
  });

  it.each(['', ' ', 'a ', ' a', 'ä', 'a\nb', '\u0000', 'x'.repeat(257)])('refuse %j', async (token) => {
    const record = new MemoryRecord();
    await expect(open(record, { join: token })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: expect.stringContaining(`has ${token.length} characters`) as string,
    });
    await expect(open(record, { admin: token })).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it.each(['a', 'open sesame', 'x'.repeat(256), '~!"#'])('take %j', async (token) => {
    expect((await open(new MemoryRecord(), { join: token })).join).toBe(token);
  });

  it('are two: workers are no owners', async () => {
    await expect(open(new MemoryRecord(), { admin: 'same', join: 'same' })).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
    });
  });
});
