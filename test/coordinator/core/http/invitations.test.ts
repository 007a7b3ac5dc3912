import { beforeEach, describe, expect, it } from 'vitest';
import {
  Invitations,
  MAX_INVITATIONS,
  type Invitation,
  type InvitationRecord,
} from '../../../../coordinator/core/http/invitations.ts';

const HOUR_MS = 3_600_000;

class Memory implements InvitationRecord {
  readonly kept: { invitation: Invitation; workerIds: string[] }[] = [];
  fails = false;

  all = (): Promise<Memory['kept']> => Promise.resolve(structuredClone(this.kept));
  add = (invitation: Invitation): Promise<void> =>
    this.#write(() => this.kept.push({ invitation, workerIds: [] }));
  remove = (id: string): Promise<void> =>
    this.#write(() =>
      this.kept.splice(
        this.kept.findIndex((one) => one.invitation.invitationId === id),
        1,
      ),
    );
  saveUse = (id: string, workerId: string, formerId: string | undefined): Promise<void> =>
    this.#write(() => {
      const one = this.kept.find(({ invitation }) => invitation.invitationId === id)!;
      one.workerIds = [...one.workerIds.filter((known) => known !== formerId), workerId];
    });

  async #write(change: () => void): Promise<void> {
    await Promise.resolve();
    if (this.fails) throw new Error('no disk');
    change();
  }
}

describe('An invitation', () => {
  const terms = { name: 'class', count: 2, isTrusted: false, expiresInMs: HOUR_MS };
  let record: Memory;
  let nowMs: number;
  let logged: string[];
  let invitations: Invitations;

  const open = (): Promise<Invitations> =>
    Invitations.open({ record, date: () => nowMs, log: ({ message }) => logged.push(message) });
  const codeOf = (token: string, workerId?: string): string | undefined =>
    invitations.refusal(token, workerId)?.code;

  beforeEach(async () => {
    record = new Memory();
    nowMs = Date.UTC(2026, 0, 1);
    logged = [];
    invitations = await open();
  });

  it('is good for so many workers, who may come back', async () => {
    const { token } = await invitations.make(terms);
    expect(invitations.tokens()).toEqual([token]);
    invitations.joined(token, 'w-1', undefined);
    invitations.joined(token, 'w-1', undefined);
    expect(codeOf(token)).toBeUndefined();
    invitations.joined(token, 'w-2', undefined);
    expect(invitations.refusal(token, undefined)).toEqual({
      code: 'INVITATION_USED_UP',
      message: 'This invitation was for 2 workers, who joined. Ask the owner for a new link.',
    });
    expect([codeOf(token, 'w-1'), codeOf(token, 'w-3')]).toEqual([undefined, 'INVITATION_USED_UP']);
    expect(invitations.list()).toMatchObject([{ used: 2, state: 'used up' }]);
  });

  it('hands the use of a worker that gets another id over to that one', async () => {
    const { token } = await invitations.make({ ...terms, count: 1 });
    invitations.joined(token, 'w-1', undefined);
    expect(codeOf(token, 'w-1')).toBeUndefined();
    invitations.joined(token, 'w-2', 'w-1');
    // The former id is no second one.
    expect([codeOf(token, 'w-1'), codeOf(token, 'w-2')]).toEqual(['INVITATION_USED_UP', undefined]);
    await invitations.close();
    invitations = await open();
    expect([codeOf(token, 'w-1'), codeOf(token, 'w-2')]).toEqual(['INVITATION_USED_UP', undefined]);
  });

  it('ends for who has not joined yet', async () => {
    const { token } = await invitations.make(terms);
    invitations.joined(token, 'w-1', undefined);
    nowMs += HOUR_MS - 1;
    expect(codeOf(token)).toBeUndefined();
    nowMs += 1;
    expect(invitations.refusal(token, undefined)).toEqual({
      code: 'INVITATION_EXPIRED',
      message: 'This invitation ended at 2026-01-01 01:00 UTC. Ask the owner for a new link.',
    });
    expect([codeOf(token, 'w-1'), invitations.list()[0]?.state]).toEqual([undefined, 'expired']);
  });

  it('is there after a restart, with its uses; a revoked one is not', async () => {
    const kept = await invitations.make({ ...terms, count: 1, isTrusted: true });
    const gone = await invitations.make(terms);
    invitations.joined(kept.token, 'w-1', undefined);
    invitations.joined(gone.token, 'w-2', undefined);
    expect(await invitations.revoke(gone.invitationId)).toEqual(gone);
    await expect(invitations.revoke(gone.invitationId)).rejects.toMatchObject({ code: 'INVITATION_UNKNOWN' });
    await invitations.close();
    invitations = await open();
    expect(invitations.list()).toEqual([{ invitation: kept, used: 1, state: 'used up' }]);
    expect([invitations.isTrusted(kept.token), invitations.isTrusted(gone.token)]).toEqual([true, false]);
    expect([codeOf(gone.token), invitations.tokens()]).toEqual([undefined, [kept.token]]);
  });

  it('is one of so many at most', async () => {
    for (let i = 0; i < MAX_INVITATIONS; i += 1) await invitations.make(terms);
    await expect(invitations.make(terms)).rejects.toMatchObject({ code: 'INVITATION_LIST_FULL' });
    await invitations.revoke(invitations.list()[0]!.invitation.invitationId);
    await invitations.make(terms);
  });

  it('is none where it can not be recorded; a use that can not be is logged, and counts', async () => {
    record.fails = true;
    await expect(invitations.make(terms)).rejects.toThrow('no disk');
    expect(invitations.tokens()).toEqual([]);
    record.fails = false;
    const { token, invitationId } = await invitations.make({ ...terms, count: 1 });
    record.fails = true;
    invitations.joined(token, 'w-1', undefined);
    await invitations.close();
    expect(codeOf(token)).toBe('INVITATION_USED_UP');
    expect(logged).toEqual([
      `That worker w-1 joined by invitation ${invitationId} could not be recorded: no disk`,
    ]);
    await expect(invitations.revoke(invitationId)).rejects.toThrow('no disk');
    expect(invitations.tokens()).toEqual([token]);
  });
});
