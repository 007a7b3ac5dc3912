// Invitations in the record.

import type { Kysely } from 'kysely';
import type { Invitation, InvitationRecord } from '../http/invitations.ts';
import { storeFailure } from './storeErrors.ts';
import type { StoreSchema } from './storeSchema.ts';

export class InvitationStore implements InvitationRecord {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  async all(): Promise<{ invitation: Invitation; workerIds: string[] }[]> {
    const rows = await this.#db
      .selectFrom('invitations')
      .selectAll()
      .orderBy('created_at')
      .orderBy('invitation_id')
      .execute();
    const uses = await this.#db.selectFrom('invitation_uses').selectAll().orderBy('worker_id').execute();
    return rows.map((row) => ({
      invitation: {
        invitationId: row.invitation_id,
        name: row.name ?? undefined,
        token: row.token,
        count: row.max_workers,
        isTrusted: row.is_trusted === 1,
        createdAtMs: row.created_at,
        endsAtMs: row.ends_at,
      },
      workerIds: uses.filter((use) => use.invitation_id === row.invitation_id).map((use) => use.worker_id),
    }));
  }

  async add(invitation: Invitation): Promise<void> {
    const row = {
      invitation_id: invitation.invitationId,
      name: invitation.name ?? null,
      token: invitation.token,
      max_workers: invitation.count,
      is_trusted: invitation.isTrusted ? 1 : 0,
      created_at: invitation.createdAtMs,
      ends_at: invitation.endsAtMs,
    };
    await this.#write('The invitation cannot be recorded', () =>
      this.#db.insertInto('invitations').values(row).execute(),
    );
  }

  async remove(invitationId: string): Promise<void> {
    await this.#write(`Invitation ${invitationId} cannot be revoked`, () =>
      this.#db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('invitation_uses').where('invitation_id', '=', invitationId).execute();
        await transaction.deleteFrom('invitations').where('invitation_id', '=', invitationId).execute();
      }),
    );
  }

  async saveUse(invitationId: string, workerId: string, formerId: string | undefined): Promise<void> {
    await this.#write(`A use of invitation ${invitationId} cannot be recorded`, () =>
      this.#db.transaction().execute(async (transaction) => {
        if (formerId !== undefined) {
          await transaction
            .deleteFrom('invitation_uses')
            .where('invitation_id', '=', invitationId)
            .where('worker_id', '=', formerId)
            .execute();
        }
        await transaction
          .insertInto('invitation_uses')
          .values({ invitation_id: invitationId, worker_id: workerId })
          .onConflict((on) => on.doNothing())
          .execute();
      }),
    );
  }

  async #write(failure: string, write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw storeFailure(error, failure);
    }
  }
}
