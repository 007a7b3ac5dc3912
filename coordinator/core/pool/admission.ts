// Who may join the pool: by protocol version, bans, and a join token or the identity of an earlier socket.

import { PROTOCOL_VERSION, type WorkerMessageOf } from '../../../shared/protocol/control.ts';
import type { ErrorCode } from '../../../kernels/errors.ts';
import type { BanList } from './banList.ts';
import type { JoinLimits } from './joinLimits.ts';
import { Identities } from './identities.ts';
import type { TokenBucket } from './rateLimit.ts';
import { compareSecrets, type AttemptThrottle } from './attemptThrottle.ts';

export interface AdmissionOptions {
  /** The tokens of which a worker has to show one, those in force now. Absent: everybody may join, as in simulations. */
  readonly joinTokens?: (() => readonly string[]) | undefined;
  /** Makes the secrets of identities: workers that come back to a restarted coordinator with the same key keep theirs. */
  readonly identityKey?: string | undefined;
  /** What bounds who may join by a token. Absent: nothing does. */
  readonly joinLimits?: JoinLimits | undefined;
  readonly bans?: BanList | undefined;
  /** Slows down guesses of join tokens. Absent: none are. */
  readonly attempts?: AttemptThrottle | undefined;
}

export type Verdict =
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  /** A worker that proved to be the one of this id. */
  | {
      readonly type: 'known';
      readonly workerId: string;
      readonly joinToken: string;
      /** Of a worker that was lost: how often it may still begin anew. */
      readonly changes?: TokenBucket | undefined;
    }
  | {
      readonly type: 'new';
      readonly joinToken: string;
      /** Under which it was in the pool before, by the same token. */
      readonly formerId?: string | undefined;
    };

type Hello = WorkerMessageOf<'hello'>;

/** A worker that was lost. */
interface Gone {
  /** Of its last life, as it named it. */
  readonly lifeName?: string | undefined;
  /** Why it was sent away, if it was: it is told when it comes back. */
  readonly reason?: string | undefined;
  /** Why its owner gives it no more work, where that is so. */
  readonly drained?: string | undefined;
  /** Whether it was the owner's own. */
  readonly isOwners?: boolean | undefined;
  /** How often it may still change what everybody sees of it. */
  readonly changes?: TokenBucket | undefined;
}

/** Whether a worker that proves to be another one's earlier self has begun anew, and holds nothing of what that one held. */
export function isAnotherLife({ life }: Pick<Hello, 'life'>, lifeName: string | undefined): boolean {
  return life !== undefined && life !== lifeName;
}

/** Stands for the token where none is needed. */
const NO_TOKEN = '';
/**
 * Workers whose going is remembered: the oldest are forgotten. One that comes back after that, or after a restart, keeps its
 * old id, which is fine: it is not waited for any more, since all groups were formed anew.
 */
const MAX_GONE = 100_000;

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #identities: Identities;
  readonly #gone = new Map<string, Gone>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#identities = new Identities(options.identityKey);
  }

  judge(hello: Hello, address: string): Verdict {
    if (hello.protocol !== PROTOCOL_VERSION) {
      const versions = `The coordinator speaks protocol ${PROTOCOL_VERSION}, the worker ${hello.protocol}.`;
      return refuse('PROTOCOL_MISMATCH', `${versions} Update the older of the two.`);
    }
    const known = this.#prove(hello);
    const ban = this.#options.bans?.find(known?.workerId, address);
    if (ban) {
      const what = ban.kind === 'worker' ? 'This worker is' : 'Workers of this address are';
      return refuse('WORKER_BANNED', `${what} banned: ${ban.reason}`);
    }
    const gone = known && this.#gone.get(known.workerId);
    if (known && !gone) return this.#limited(known);
    if (gone?.reason !== undefined) return refuse('WORKER_REMOVED', gone.reason);
    if (known && gone && isAnotherLife(hello, gone.lifeName))
      return this.#limited({ ...known, changes: gone.changes });
    // A worker that was lost for good and goes on as if it was not is a new one, or those that it left would wonder.
    const { joinTokens, attempts } = this.#options;
    if (joinTokens === undefined) return { type: 'new', joinToken: NO_TOKEN };
    // An identity that is not proven is a guess as well, where no token comes with it.
    const shown = hello.token ?? (known ? undefined : hello.identity?.secret);
    const attempt = attempts
      ? attempts.attempt(address, shown, joinTokens())
      : compareSecrets(shown, joinTokens());
    if (attempt.type === 'right') {
      const formerId = known?.joinToken === attempt.secret ? known.workerId : undefined;
      return this.#limited({
        type: 'new',
        joinToken: attempt.secret,
        ...(formerId !== undefined && { formerId }),
      });
    }
    if (attempt.type === 'throttled') return refuse(attempt.error.code, attempt.error.message);
    return refuse('TOKEN_REQUIRED', 'The join token is missing or wrong. Ask the owner for the join link.');
  }

  /** Whether a worker that joined by this token may not any more. @param only of others that is not asked. */
  isOutdated(joinToken: string, only = joinToken): boolean {
    return joinToken === only && !this.#tokens().includes(joinToken);
  }

  secretOf(workerId: string, joinToken: string): string {
    return this.#identities.secretOf(workerId, joinToken);
  }

  /** The secrets of this id, by the tokens in force. */
  secretsOf(workerId: string): string[] {
    return this.#tokens().map((joinToken) => this.secretOf(workerId, joinToken));
  }

  /** The worker is lost. */
  forget(workerId: string, gone: Gone = {}): void {
    if (this.#gone.size >= MAX_GONE) {
      for (const oldest of this.#gone.keys()) {
        this.#gone.delete(oldest);
        break;
      }
    }
    this.#gone.set(workerId, gone);
  }

  /** Whether a worker that was lost is known to have been the owner's own. */
  wasOwners(workerId: string): boolean {
    return this.#gone.get(workerId)?.isOwners === true;
  }

  /** Keeps one out that is not there, or, without a reason, lets one in again that was sent away. */
  exclude(workerId: string, reason: string | undefined): void {
    const gone = this.#gone.get(workerId);
    if (gone || reason !== undefined) this.forget(workerId, { ...gone, reason });
  }

  /** The worker has joined. @returns what is remembered of it, if it was lost before. */
  admit(workerId: string, verdict: Exclude<Verdict, { type: 'refused' }>): Gone | undefined {
    const formerId = verdict.type === 'new' ? verdict.formerId : undefined;
    this.#options.joinLimits?.joined(verdict.joinToken, workerId, formerId);
    const gone = this.#gone.get(workerId);
    this.#gone.delete(workerId);
    return gone;
  }

  /** The verdict, unless a bound of the token is against it. */
  #limited(verdict: Exclude<Verdict, { type: 'refused' }>): Verdict {
    const workerId = verdict.type === 'known' ? verdict.workerId : verdict.formerId;
    const refusal = this.#options.joinLimits?.refusal(verdict.joinToken, workerId);
    return refusal ? { type: 'refused', ...refusal } : verdict;
  }

  #prove({ identity }: Hello): Extract<Verdict, { type: 'known' }> | undefined {
    if (!identity) return undefined;
    const { workerId } = identity;
    const joinToken = this.#identities.provenBy(identity, this.#tokens());
    return joinToken === undefined ? undefined : { type: 'known', workerId, joinToken };
  }

  #tokens(): readonly string[] {
    return this.#options.joinTokens?.() ?? [NO_TOKEN];
  }
}

function refuse(code: ErrorCode, message: string): Verdict {
  return { type: 'refused', code, message };
}
