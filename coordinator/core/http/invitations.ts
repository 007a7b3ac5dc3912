// Join links for so many workers, until some time: each has a token of its own. Kept in the record, as the join token is, so
// that a link is good after a restart and can be shown again.

import { TabgradError } from '../../../kernels/errors.ts';
import { messageOf } from '../../../shared/text/messageOf.ts';
import type { Log } from '../../log/log.ts';
import type { JoinLimits, JoinRefusal } from '../pool/joinLimits.ts';
import { makeId, makeSecret } from '../pool/secrets.ts';

export interface Invitation {
  readonly invitationId: string;
  /** As the owner calls it. */
  readonly name: string | undefined;
  readonly token: string;
  /** Distinct workers that may join by it. */
  readonly count: number;
  /** Who joins by it is the owner's own: its work is believed. */
  readonly isTrusted: boolean;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Nobody new joins from then on; who has joined may come back. */
  readonly endsAtMs: number;
}

export interface InvitationRecord {
  /** Oldest first, with the ids of the workers that have joined. */
  all(): Promise<readonly { readonly invitation: Invitation; readonly workerIds: readonly string[] }[]>;
  add(invitation: Invitation): Promise<void>;
  /** With its uses. */
  remove(invitationId: string): Promise<void>;
  /** A worker has joined; `formerId`, where given, is free again. */
  saveUse(invitationId: string, workerId: string, formerId: string | undefined): Promise<void>;
}

export interface InvitationsOptions {
  readonly record: InvitationRecord;
  readonly log: Log;
  /** Milliseconds since 1970. */
  readonly date?: () => number;
}

export type InvitationTerms = Pick<Invitation, 'name' | 'count' | 'isTrusted'> & {
  readonly expiresInMs: number;
};

export type InvitationState = 'open' | 'used up' | 'expired';

class InvitationListFullError extends TabgradError {
  readonly code = 'INVITATION_LIST_FULL';
}

class InvitationUnknownError extends TabgradError {
  readonly code = 'INVITATION_UNKNOWN';
}

/** Of all there are: a worker that comes back is compared with each. */
export const MAX_INVITATIONS = 200;

interface Entry {
  readonly invitation: Invitation;
  readonly workerIds: Set<string>;
}

export class Invitations implements JoinLimits {
  readonly #options: InvitationsOptions;
  readonly #date: () => number;
  readonly #byToken = new Map<string, Entry>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(options: InvitationsOptions) {
    this.#options = options;
    this.#date = options.date ?? Date.now;
  }

  /** @throws StorageError */
  static async open(options: InvitationsOptions): Promise<Invitations> {
    const invitations = new Invitations(options);
    for (const { invitation, workerIds } of await options.record.all())
      invitations.#byToken.set(invitation.token, { invitation, workerIds: new Set(workerIds) });
    return invitations;
  }

  /** Of all invitations that were not revoked: who joined by one that is over may come back. */
  tokens(): string[] {
    return [...this.#byToken.keys()];
  }

  /** Whether workers that joined by this token are the owner's own. */
  isTrusted(token: string): boolean {
    return this.#byToken.get(token)?.invitation.isTrusted === true;
  }

  /** Oldest first. */
  list(): { readonly invitation: Invitation; readonly used: number; readonly state: InvitationState }[] {
    return [...this.#byToken.values()].map((entry) => ({
      invitation: entry.invitation,
      used: entry.workerIds.size,
      state: this.#stateOf(entry),
    }));
  }

  /** In force once it is on record. @throws InvitationListFullError, StorageFullError, StorageError */
  async make({ name, count, isTrusted, expiresInMs }: InvitationTerms): Promise<Invitation> {
    if (this.#byToken.size >= MAX_INVITATIONS) {
      throw new InvitationListFullError(
        `There are ${MAX_INVITATIONS} invitations already; revoke those that are over first.`,
      );
    }
    const createdAtMs = this.#date();
    const endsAtMs = createdAtMs + expiresInMs;
    const ids = { invitationId: `i-${makeId()}`, token: makeSecret() };
    const invitation = { ...ids, name, count, isTrusted, createdAtMs, endsAtMs };
    await this.#options.record.add(invitation);
    this.#byToken.set(invitation.token, { invitation, workerIds: new Set() });
    return invitation;
  }

  /**
   * Nobody joins by it any more, nor comes back who has: as with a join token that was changed.
   * @throws InvitationUnknownError, StorageFullError, StorageError
   */
  async revoke(invitationId: string): Promise<Invitation> {
    const entry = [...this.#byToken.values()].find(
      ({ invitation }) => invitation.invitationId === invitationId,
    );
    if (!entry) throw new InvitationUnknownError(`There is no invitation "${invitationId.slice(0, 128)}".`);
    // A use that is still on its way into the record would be there after the invitation.
    await this.#writing;
    await this.#options.record.remove(invitationId);
    this.#byToken.delete(entry.invitation.token);
    return entry.invitation;
  }

  refusal(token: string, workerId: string | undefined): JoinRefusal | undefined {
    const entry = this.#byToken.get(token);
    if (!entry || (workerId !== undefined && entry.workerIds.has(workerId))) return undefined;
    const { count, endsAtMs } = entry.invitation;
    const ask = 'Ask the owner for a new link.';
    const state = this.#stateOf(entry);
    if (state === 'open') return undefined;
    if (state === 'expired') {
      const when = new Date(endsAtMs).toISOString().slice(0, 16).replace('T', ' ');
      return { code: 'INVITATION_EXPIRED', message: `This invitation ended at ${when} UTC. ${ask}` };
    }
    const workers = count === 1 ? '1 worker' : `${count} workers`;
    return { code: 'INVITATION_USED_UP', message: `This invitation was for ${workers}, who joined. ${ask}` };
  }

  joined(token: string, workerId: string, formerId: string | undefined): void {
    const entry = this.#byToken.get(token);
    if (!entry || entry.workerIds.has(workerId)) return;
    if (formerId !== undefined) entry.workerIds.delete(formerId);
    entry.workerIds.add(workerId);
    const { invitationId } = entry.invitation;
    const { record, log } = this.#options;
    this.#writing = this.#writing
      .then(() => record.saveUse(invitationId, workerId, formerId))
      .catch((error: unknown) => {
        const what = `That worker ${workerId} joined by invitation ${invitationId} could not be recorded`;
        log({ level: 'error', message: `${what}: ${messageOf(error)}` });
      });
  }

  /** Resolves when what was told is on record. */
  async close(): Promise<void> {
    await this.#writing;
  }

  #stateOf({ invitation: { count, endsAtMs }, workerIds }: Entry): InvitationState {
    if (this.#date() >= endsAtMs) return 'expired';
    return workerIds.size >= count ? 'used up' : 'open';
  }
}
