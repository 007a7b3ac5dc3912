// What an owner's loop over tensors asks of its worker's main thread, and how that answers: collectives, rows and reports. The
// values come from an owner's code and are checked before anything is done with them.

import { z } from 'zod';
import type { Collective } from '../../../shared/collective/collective.ts';
import { PeerMessageError, readFromPeer } from '../../../shared/collective/peerMessage.ts';
import { packFiles, unpackFiles, type PackedFiles } from '../../../shared/neural/loop/packedFiles.ts';
import { readAsk } from '../../ownerLoop/callLoop.ts';
import type { AnswerLoop, LoopAnswer } from '../../ownerLoop/loopThread.ts';
import { finiteMetrics } from '../run/finiteMetrics.ts';
import { LoopMisuseError } from './loopErrors.ts';
import { meetAll } from './loopGroup.ts';
import { MAX_CHECKPOINT_BYTES } from './loopState.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

const values = z.instanceof(Float32Array);
const position = z.int().nonnegative();
/** NaN and infinities too. */
const anyNumber = z.custom<number>((value) => typeof value === 'number');
const tensorsAsk = z.discriminatedUnion('op', [
  z.object({ op: z.literal('allReduce'), values }),
  z.object({ op: z.literal('broadcast'), values, root: z.number() }),
  z.object({ op: z.literal('barrier') }),
  z.object({
    op: z.literal('report'),
    metrics: z.record(z.string().max(128), anyNumber),
    checkpoint: z.instanceof(Uint8Array).optional(),
  }),
  z.object({ op: z.literal('read'), dataset: z.string(), epoch: z.number(), from: position, to: position }),
]);
export type TensorsAsk = Readonly<z.input<typeof tensorsAsk>>;

/** What a report is answered with. */
export interface CommittedReport {
  readonly reports: number;
  /** Rank 0's packed files, the same at every member. */
  readonly checkpoint: Uint8Array | undefined;
  /** It was the last of this generation. */
  readonly isLast: boolean;
}

/** Rows of one column of a dataset. */
export interface ReadColumn {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Int32Array;
}

/** Rows of one dataset by their positions in an epoch's order, which is the same at every member. */
export interface LoopDataset {
  readonly rows: number;
  read(epoch: number, from: number, to: number, signal: AbortSignal): Promise<readonly ReadColumn[]>;
}

export interface LoopReport {
  /** Counted from 1. */
  readonly report: number;
  /** Rank 0's, the same at every member. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Rank 0's, the same at every member; undefined where it gave none. */
  readonly checkpoint: PackedFiles | undefined;
}

export interface LoopGroup {
  readonly collective: Collective;
  readonly datasets: ReadonlyMap<string, LoopDataset>;
  readonly signal: AbortSignal;
  /** Longest wait for a peer, for reports as for tensors. */
  readonly timeoutMs: number;
  readonly reports: number;
  /** Whether the generation should end with that report, as far as this member was told; it does where most were. */
  endsAfter(report: number): boolean;
  /** Why the group is over then. */
  over(): Error;
  /** A report that all members have come to. */
  onReport(report: LoopReport): Promise<void> | void;
}

export interface LoopAnswers {
  readonly answer: AnswerLoop;
  /** For when the loop has returned: waits until all have. @throws LoopMisuseError when some go on. */
  readonly returned: () => Promise<void>;
}

export function loopAnswers(group: LoopGroup): LoopAnswers {
  const { collective, signal, timeoutMs } = group;
  const options = { signal, timeoutMs };
  let { reports } = group;

  const report = async ({ metrics, checkpoint }: AskOf<'report'>): Promise<LoopAnswer> => {
    const wish = group.endsAfter(reports + 1);
    const arrival = { doing: 'report', reports, isLast: wish, metrics: finiteMetrics(metrics) } as const;
    const { isLast, metrics: agreed } = await meetAll(collective, arrival, options);
    // Empty bytes stand for none.
    const own = collective.rank === 0 && checkpoint ? checkpoint : new Uint8Array();
    const bytes = await collective.broadcast(own, 0, { ...options, maxBytes: MAX_CHECKPOINT_BYTES });
    const kept = bytes.byteLength === 0 ? undefined : readFromPeer(collective, 0, () => unpackFiles(bytes));
    reports += 1;
    await group.onReport({ report: reports, metrics: agreed, checkpoint: kept });
    const copy = kept && packFiles(kept);
    const value = { reports, checkpoint: copy, isLast } satisfies CommittedReport;
    return { value, transfer: copy ? [copy.buffer] : [], ...(isLast && { over: group.over() }) };
  };
  const broadcast = async ({ values: given, root }: AskOf<'broadcast'>): Promise<LoopAnswer> => {
    const own = collective.rank === root ? bytesUnder(given) : new Uint8Array();
    const bytes = await collective.broadcast(own, root, { ...options, maxBytes: given.byteLength });
    if (bytes.byteLength !== given.byteLength) {
      throw new PeerMessageError(
        `broadcast: rank ${root} sent ${bytes.byteLength / 4} values, rank ${collective.rank} gave tensors of ${given.length}`,
        [collective.members[root]!],
      );
    }
    return handedOver(new Float32Array(bytes.slice().buffer));
  };
  const read = async ({ dataset: name, epoch, from, to }: AskOf<'read'>): Promise<LoopAnswer> => {
    const dataset = group.datasets.get(name);
    if (!dataset || from > to || to > dataset.rows) {
      throw new LoopMisuseError(`there are no rows ${from} to ${to} of a dataset "${name}"`);
    }
    const columns = await dataset.read(epoch, from, to, signal);
    return { value: columns, transfer: columns.map((column) => column.values.buffer as ArrayBuffer) };
  };
  const answer = async (asked: z.infer<typeof tensorsAsk>): Promise<LoopAnswer> => {
    if (asked.op === 'allReduce') {
      return handedOver(await collective.allReduce(asked.values, 'sum', options));
    }
    if (asked.op === 'broadcast') return broadcast(asked);
    if (asked.op === 'report') return report(asked);
    if (asked.op === 'read') return read(asked);
    await collective.barrier(options);
    return {};
  };
  return {
    answer: async (what) => answer(readAsk(tensorsAsk, what)),
    returned: async () => {
      await meetAll(collective, { doing: 'return', reports, isLast: false, metrics: {} }, options);
    },
  };
}

/** The loop gets the memory, too. */
function handedOver(array: Float32Array): LoopAnswer {
  return { value: array, transfer: [array.buffer as ArrayBuffer] };
}

type AskOf<Op extends TensorsAsk['op']> = Extract<z.infer<typeof tensorsAsk>, { op: Op }>;
