// The rounds of one generation at one member: grow, apply, measure, commit; until the last round, the round at which
// the coordinator wants the group halted, or an error.

import { AbortedError } from '../../shared/errors.ts';
import type { Member } from '../../shared/protocol/control.ts';
import { encodeTree } from '../../shared/gbdt/treeCodec.ts';
import { boostRound } from '../gbdt/boostRound.ts';
import { evaluateRound } from '../gbdt/evaluateRound.ts';
import { LinkCollective } from '../collective/linkCollective.ts';
import type { Link } from '../transport/link.ts';
import { meteredCollective } from './meteredCollective.ts';
import type { ExchangeMeter } from './meteredCollective.ts';
import type { RunData } from './runData.ts';
import type { SessionEnvironment } from './sessionEnvironment.ts';

export interface GenerationContext {
  readonly data: RunData;
  readonly links: ReadonlyMap<string, Link>;
  readonly members: readonly Member[];
  readonly rank: number;
  readonly generation: number;
  readonly environment: SessionEnvironment;
  readonly signal: AbortSignal;
  /** Committed rounds at which this generation ends; infinite unless the coordinator asked. */
  readonly haltAtRounds: () => number;
}

/** Resolves when the last round is committed or the halt is reached. */
export async function trainRounds(context: GenerationContext): Promise<void> {
  const { data, links, environment, generation, signal } = context;
  const { spec } = data;
  const meter: ExchangeMeter = { elapsedMs: 0 };
  const members = [...context.members].sort((a, b) => a.rank - b.rank).map((member) => member.workerId);
  const overLinks = new LinkCollective({ rank: context.rank, members, links, generation });
  const collective = meteredCollective(overLinks, meter, () => environment.now());
  while (data.committed.length < Math.min(spec.numBoostRound, context.haltAtRounds())) {
    const round = data.committed.length;
    const start = environment.now();
    const sentBefore = bytesSent(links);
    meter.elapsedMs = 0;

    const trees = await boostRound({ spec, device: data.device, collective, round, signal });
    data.applyPending(trees);
    const metrics = await evaluateRound({
      spec,
      device: data.device,
      collective,
      blocks: (name) => data.blocks(name),
      signal,
    });
    if (signal.aborted) throw new AbortedError(`round ${round} was withdrawn`);
    data.committed.push({ trees, metrics });

    const totalMs = environment.now() - start;
    environment.send({
      type: 'committed',
      runId: data.runId,
      generation,
      round,
      computeMs: Math.max(0, totalMs - meter.elapsedMs),
      exchangeMs: meter.elapsedMs,
      bytesSent: bytesSent(links) - sentBefore,
      ...(context.rank === 0 && { trees: trees.map((tree) => encodeTree(tree)), metrics }),
    });
    reportStatus(context, totalMs);
  }
}

function bytesSent(links: ReadonlyMap<string, Link>): number {
  let bytes = 0;
  for (const link of links.values()) bytes += link.stats.bytesSent;
  return bytes;
}

function reportStatus(context: GenerationContext, roundMs: number): void {
  const { data, links, environment } = context;
  environment.onStatus?.({
    state: 'training',
    runId: data.runId,
    round: data.committed.length,
    rounds: data.spec.numBoostRound,
    rows: data.rows,
    groupSize: context.members.length,
    rank: context.rank,
    rowsPerSecond: (data.rows / Math.max(1, roundMs)) * 1000,
    links: [...links.values()].map((link) => ({ peer: link.peer, path: link.path, ...link.stats })),
  });
}
