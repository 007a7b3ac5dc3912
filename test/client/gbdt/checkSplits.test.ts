import { describe, expect, it } from 'vitest';
import {
  agreedRoot,
  checkExact,
  checkSplits,
  checkWhole,
  openRoot,
  type SplitSender,
} from '../../../client/gbdt/checkSplits.ts';
import { buildTrainSpec } from '../../../shared/gbdt/buildTrainSpec.ts';
import { resolveParams } from '../../../shared/gbdt/params.ts';
import { SplitScore } from '../../../shared/gbdt/splitScore.ts';
import { soloCollective } from '../../../shared/collective/soloCollective.ts';
import type { Collective } from '../../../shared/collective/collective.ts';
import { PeerMessageError, readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { SplitCandidate } from '../../../kernels/gbdt/splitCandidate.ts';
import type { SplitMessage } from '../../../shared/gbdt/splitCodec.ts';
import { memoryGroup } from './memoryGroup.ts';

const feature = { name: 'x', bins: 8, categorical: false, monotone: 0 } as const;
const spec = buildTrainSpec({
  params: resolveParams({ objective: 'reg:squarederror', lambda: 0, min_child_weight: 0 }),
  numBoostRound: 1,
  features: [],
  target: { maxAbsLabel: 1, maxWeight: 1 },
  trainRows: 12_000_000,
  evaluationSets: [],
});
const score = new SplitScore(spec);
const heavy = new SplitScore({ ...spec, params: resolveParams({ min_child_weight: 1 }) });
const sender: SplitSender = {
  first: 1,
  end: 3,
  spec: { ...spec, features: [feature, feature, { ...feature, categorical: true }] },
  score,
  nodes: [openRoot({ g: -10, h: 30 }, score)],
  isRoot: false,
};
/** From the formula: G²/H of the children less that of the node, in the units of the sums; doubles, rounded to float32. */
function gainOf(leftG: number, leftH: number, rightG: number, rightH: number): number {
  const unit = spec.gradientUnit ** 2 / spec.hessianUnit;
  const term = (g: number, h: number): number => Math.fround((unit * g ** 2) / h);
  const children = Math.fround(term(leftG, leftH) + term(rightG, rightH));
  return Math.fround(children - term(leftG + rightG, leftH + rightH));
}
const split: SplitCandidate = {
  gain: gainOf(5, 10, -15, 20),
  feature: 1,
  splitBin: 7,
  categories: undefined,
  missingGoesLeft: false,
  leftG: 5,
  leftH: 10,
  rightG: -15,
  rightH: 20,
};
const tell = (change: Partial<SplitCandidate> = {}, root?: SplitMessage['root']): SplitMessage => ({
  root,
  candidates: [{ ...split, ...change }],
});

describe('a split that a peer tells', () => {
  it('is taken where it fits what all know', () => {
    expect(() => checkSplits(tell(), sender)).not.toThrow();
    expect(() => checkSplits({ root: undefined, candidates: [undefined] }, sender)).not.toThrow();
    const categories = new Uint32Array(8);
    expect(() => checkSplits(tell({ feature: 2, splitBin: -1, categories }), sender)).not.toThrow();
    const root = { ...sender, nodes: [], isRoot: true };
    expect(() => checkSplits(tell({}, { g: -10, h: 30 }), root)).not.toThrow();
  });

  it.each<[string, SplitMessage, Partial<SplitSender>, RegExp]>([
    ['of a feature of another member', tell({ feature: 0 }), {}, /feature 0 of another member/],
    ['after a bin that is not there', tell({ splitBin: 8 }), {}, /bin 8 of 8/],
    ['of categories by numbers', tell({ feature: 2 }), {}, /the kind of feature 2/],
    ['whose children are not the node', tell({ leftG: 6 }), {}, /sums of children 6\/10/],
    ['whose Hessians are not the node', tell({ rightH: 21 }), {}, /sums of children/],
    ['with a negative Hessian', tell({ leftH: -1, rightH: 31 }), {}, /sums of children 5\/-1/],
    [
      'that gains other than it says',
      tell({ gain: 2 * split.gain }),
      {},
      /a gain of .* of a split that gains/,
    ],
    ['of a child too light to exist', tell(), { score: heavy }, /gains -Infinity/],
    [
      'with sums that are not exact any more',
      tell({ leftG: 2 ** 52 + 1, rightG: -11 - 2 ** 52 }),
      {},
      /The gradients of a node sum to 4503599627370497 units/,
    ],
    ['with sums of the root below it', tell({}, { g: 1, h: 1 }), {}, /root where none belong/],
    ['without them at the root', tell(), { isRoot: true }, /root where none belong/],
    [
      'that contradicts the sums that come with it',
      tell({}, { g: -9, h: 30 }),
      { isRoot: true, nodes: [] },
      /of a node of -9\/30/,
    ],
  ])('%s is malformed', (_, message, change, what) => {
    expect(() => checkSplits(message, { ...sender, ...change })).toThrow(what);
  });
});

const group = (size: number, rank = 0): Collective => memoryGroup(size)[rank]!;

describe('sums that this member made of what all sent', () => {
  const tooLarge = [1, 2 ** 52 + 1];

  it('fail it where they are too large and it is alone', () => {
    expect(() => checkExact(tooLarge, spec, soloCollective)).toThrow(
      expect.objectContaining({ code: 'SUMS_INEXACT' }),
    );
  });

  it('may have been spoilt by any of the others, and do not fail it', () => {
    expect(() => checkExact(tooLarge, spec, group(3, 1))).toThrow(
      expect.objectContaining({ code: 'PEER_MESSAGE_INVALID', peers: ['w0', 'w2'] }),
    );
    expect(() => checkExact([2 ** 52, -(2 ** 52)], spec, group(3, 1))).not.toThrow();
  });
});

describe('the sums of the root', () => {
  const message = (g: number | undefined): SplitMessage => ({
    root: g === undefined ? undefined : { g, h: 1 },
    candidates: [],
  });
  const blamed = (act: () => unknown): readonly string[] => {
    try {
      act();
    } catch (error) {
      if (error instanceof PeerMessageError) return error.peers;
      throw error;
    }
    return [];
  };

  it('are those that all owners of features tell', () => {
    expect(agreedRoot([message(3), message(undefined), message(3)], group(3))).toEqual({ g: 3, h: 1 });
    expect(() => agreedRoot([message(undefined)], soloCollective)).toThrow(/no member of the group sent/);
  });

  it('that one tells otherwise are blamed on that one, and by that one on any other', () => {
    const told = [message(3), message(3), message(4)];
    expect(blamed(() => agreedRoot(told, group(3)))).toEqual(['w2']);
    expect(blamed(() => agreedRoot(told, group(3, 2)))).toEqual(['w0', 'w1']);
    expect(blamed(() => agreedRoot([message(3), message(4)], group(2)))).toEqual(['w1']);
  });

  it('are whole numbers, or somebody has spoilt them', () => {
    expect(blamed(() => checkWhole([1, -(2 ** 53) + 1], group(2)))).toEqual([]);
    for (const wrong of [0.5, Number.NaN, Infinity, 2 ** 53]) {
      expect(blamed(() => checkWhole([1, wrong], group(3, 1)))).toEqual(['w0', 'w2']);
    }
  });

  it('that can not be read are an error that names the peer; of its own, what it is', () => {
    const collective = group(2);
    const read = (): never => {
      throw new RangeError('3 bytes');
    };
    expect(() => readFromPeer(collective, 1, read)).toThrow(
      expect.objectContaining({
        code: 'PEER_MESSAGE_INVALID',
        place: { peer: 'w1' },
        message: 'Worker w1 sent what can not be: 3 bytes',
      }),
    );
    expect(() => readFromPeer(collective, 0, read)).toThrow(RangeError);
  });
});
