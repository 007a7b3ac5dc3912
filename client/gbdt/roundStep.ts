// One round at one member: grow, apply, measure, commit.

import { AbortedError } from '../../kernels/errors.ts';
import type { Collective } from '../../shared/collective/collective.ts';
import { soloCollective } from '../../shared/collective/soloCollective.ts';
import type { TrainSpec } from '../../shared/gbdt/trainSpec.ts';
import { treeBytes } from '../../shared/gbdt/treeBytes.ts';
import { eventTurn } from '../../kernels/eventTurn.ts';
import { sha256Hex } from '../blobs/sha256Hex.ts';
import type { GenerationContext } from '../memberRun/memberRun.ts';
import { meteredCollective } from '../memberRun/meteredCollective.ts';
import type { ExchangeMeter } from '../memberRun/meteredCollective.ts';
import type { Link } from '../transport/link.ts';
import { boostRound } from './boostRound.ts';
import { roundMetrics } from '../../shared/gbdt/metric/roundMetrics.ts';
import { evaluateRound } from './evaluateRound.ts';
import type { RoundMetrics } from '../../shared/gbdt/metric/roundMetrics.ts';
import { checkRoundSize, encodeRound } from './roundMessages.ts';
import type { RoundTrace } from './roundTrace.ts';
import type { RunData } from './runData.ts';

/** Rounds that take less follow one another this long before events are heard: a turn of those costs about 0.1 ms. */
const TURN_EVERY_MS = 4;

/**
 * Members that need nothing of one another meet once in so many rounds, so that none is further ahead of the others, and
 * who is lost is missed: within some 25 ms, since such rounds take a few.
 */
const MEET_EVERY = 4;

export interface RoundContext extends GenerationContext {
  readonly data: RunData;
  /** Where the group's work is checked. */
  readonly trace?: RoundTrace | undefined;
}

/** Makes the rounds of a generation, one at a time. */
export class RoundStep {
  readonly #context: RoundContext;
  readonly #collective: Collective;
  readonly #holdsAll: boolean;
  readonly #meter: ExchangeMeter = { elapsedMs: 0 };
  readonly #metrics: RoundMetrics;
  #turnAtMs: number;

  /** @param holdsAll every member holds all rows, and has no need of the others' sums. */
  constructor(context: RoundContext, holdsAll: boolean) {
    this.#context = context;
    this.#metrics = roundMetrics(context.data.spec);
    const { collective, environment } = context;
    this.#turnAtMs = environment.now();
    this.#holdsAll = holdsAll;
    this.#collective = meteredCollective(collective, this.#meter, () => environment.now());
  }

  /** Whether this generation has another round to make. */
  get isOver(): boolean {
    const { data, haltAtRounds } = this.#context;
    return data.committed.length >= Math.min(data.spec.numBoostRound, haltAtRounds());
  }

  /**
   * Makes the next round with `spec`, which may differ from the run's in parameters of growth.
   * @returns the round's metrics.
   * @throws what the collective or the device throws; the round is then not committed here.
   */
  async make(spec: TrainSpec): Promise<Readonly<Record<string, number>>> {
    const { data, links, environment, generation, rank, signal } = this.#context;
    const { device } = data;
    const collective = this.#holdsAll ? soloCollective : this.#collective;
    const round = data.committed.length;
    const trace = this.#holdsAll ? undefined : this.#context.trace;
    await trace?.begin(round, signal);
    const start = environment.now();
    const sentBefore = bytesSent(links);
    this.#meter.elapsedMs = 0;

    const trees = await boostRound({ spec, device, collective, round, signal, trace });
    const encoded = rank === 0 ? encodeRound(trees, round) : undefined;
    if (!encoded) checkRoundSize(trees, round);
    // Hashed while the metrics are computed.
    const hashed = sha256Hex(treeBytes(trees));
    data.applyPending(trees);
    const blocks = data.blocks.bind(data);
    const metrics = await evaluateRound({ metrics: this.#metrics, device, collective, blocks, signal });
    const treesSha256 = await hashed;
    if (this.#holdsAll && round % MEET_EVERY === 0) await this.#collective.barrier({ signal });
    if (signal.aborted) throw new AbortedError(`round ${round} was withdrawn`);
    data.committed.push({ trees, metrics });

    const totalMs = environment.now() - start;
    environment.send({
      type: 'committed',
      runId: data.runId,
      generation,
      round,
      computeMs: Math.max(0, totalMs - this.#meter.elapsedMs),
      exchangeMs: this.#meter.elapsedMs,
      bytesSent: bytesSent(links) - sentBefore,
      payloadSha256: treesSha256,
      metrics,
      ...(encoded && { payload: encoded }),
    });
    this.#reportStatus(totalMs, metrics);
    if (!this.#holdsAll) await data.followSpares();
    await this.#hearEvents(start + totalMs);
    return metrics;
  }

  async #hearEvents(nowMs: number): Promise<void> {
    if (nowMs - this.#turnAtMs < TURN_EVERY_MS) return;
    await eventTurn();
    this.#turnAtMs = this.#context.environment.now();
  }

  #reportStatus(roundMs: number, metrics: Readonly<Record<string, number>>): void {
    const { data, links, members, rank, environment } = this.#context;
    environment.onStatus?.({
      state: 'training',
      runId: data.runId,
      round: data.committed.length,
      rounds: data.spec.numBoostRound,
      rows: data.rows,
      share: this.#holdsAll ? 1 : data.trainShare,
      groupSize: members.length,
      rank,
      rowsPerSecond: (data.rows / Math.max(1, roundMs)) * 1000,
      metrics,
      links: [...links.values()].map((link) => ({ peer: link.peer, path: link.path, ...link.stats })),
    });
  }
}

function bytesSent(links: ReadonlyMap<string, Link>): number {
  let bytes = 0;
  for (const link of links.values()) bytes += link.stats.bytesSent;
  return bytes;
}
