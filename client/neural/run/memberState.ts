// The state of a run at one member, and how a group agrees on it: by hash, the one that most members have. Those without it
// take it from all who have it at once; where nobody has one, from the blob store.

import type { Collective } from '../../../shared/collective/collective.ts';
import { PeerMessageError, readFromPeer } from '../../../shared/collective/peerMessage.ts';
import type { NeuralSpec } from '../../../shared/neural/run/neuralSpec.ts';
import {
  decodeState,
  encodeState,
  fromSections,
  toSections,
  velocityOf,
  type Sections,
} from '../../../shared/neural/state/namedState.ts';
import type { EngineLayout, StateSection, TrainingEngine } from '../../../shared/neural/trainingEngine.ts';
import { sha256Hex } from '../../blobs/sha256Hex.ts';
import { BadAssignmentError } from '../../memberRun/errors.ts';
import type { Assignment } from '../../memberRun/memberRun.ts';
import type { SessionEnvironment } from '../../memberRun/sessionEnvironment.ts';
import { commonState, type HeldState } from './commonState.ts';
import { bytesUnder } from '../../../kernels/bytesUnder.ts';

export const stateSections = [
  'parameters',
  'statistics',
  'optimizer',
] as const satisfies readonly StateSection[];
/** Longest greeting of a member; its parts are all bounded. */
const MAX_GREETING_BYTES = 4096;

/** What a member says of itself before the group begins. */
interface Greeting extends HeldState {
  readonly layout: string;
  readonly device: string;
}

export interface Settled {
  /** Whether members compute on different kinds of devices, which round differently. */
  readonly isMixed: boolean;
}

/** What the coordinator says of the state, and of who may have it. */
export type KnownState = Pick<Assignment, 'savedState' | 'committedRounds' | 'stateHolders'>;

export class MemberState {
  readonly engine: TrainingEngine;
  readonly #environment: SessionEnvironment;
  readonly #spec: NeuralSpec;
  /** Committed steps; -1 while the engine has no state. */
  step = -1;
  /** Of the outer steps, as long as the parameters; without local steps empty. Replaced as a whole. */
  velocity: Float32Array<ArrayBuffer>;
  /** What the engine had when its local steps began: none of them is committed before the outer step. */
  #agreed: Sections | undefined;

  constructor(engine: TrainingEngine, spec: NeuralSpec, environment: SessionEnvironment) {
    this.engine = engine;
    this.#spec = spec;
    this.velocity = new Float32Array(spec.localSteps ? engine.layout.lengths.parameters : 0);
    this.#environment = environment;
  }

  /** Brings all members to the same state. */
  async settle(
    collective: Collective,
    { savedState, committedRounds, stateHolders }: KnownState,
    signal: AbortSignal,
  ): Promise<Settled> {
    const { engine } = this;
    // What was added up of a step that was given up.
    engine.clear();
    this.#giveUpLocalSteps();
    const own = this.step < 0 ? undefined : await this.#bytes();
    const greeting: Greeting = {
      step: this.step,
      hash: own ? await sha256Hex(own) : '',
      layout: await sha256Hex(new TextEncoder().encode(JSON.stringify(layoutKey(engine.layout)))),
      device: `${engine.kind} ${this.#environment.deviceName ?? ''}`.slice(0, 256),
    };
    const text = new TextEncoder().encode(JSON.stringify(greeting));
    const told = await collective.allGather(text, { signal, maxBytes: MAX_GREETING_BYTES });
    const greetings = told.map((bytes, from) => readFromPeer(collective, from, () => readGreeting(bytes)));
    const others = greetings.flatMap(({ layout }, from) => (layout === greeting.layout ? [] : [from]));
    if (others.length > 0) {
      throw new PeerMessageError(
        'Members lay the parameters of the model out in different ways',
        others.map((from) => collective.members[from]!),
      );
    }
    const isMixed = greetings.some(({ device }) => device !== greeting.device);

    const known = savedState ?? { ...this.#spec.initialState, rounds: this.#spec.firstStep };
    const common = commonState(greetings, stateHolders, committedRounds);
    if (!common || common.step < known.rounds) {
      const bytes = await this.#environment.fetchBlob(known.sha256, { sizeBytes: known.sizeBytes, signal });
      const state = decodeState(bytes, 'the stored state');
      const values = toSections(engine.layout, state);
      for (const section of stateSections) engine.write(section, values[section]);
      if (this.#spec.localSteps) this.velocity = velocityOf(engine.layout, state);
      this.step = known.rounds;
      return { isMixed };
    }
    const { step, hash, givers } = common;
    if (givers.length === greetings.length) return { isMixed };
    await this.#passOn(collective, givers, own, hash, signal);
    this.step = step;
    return { isMixed };
  }

  /** Each giver sends its part of the state to all who lack it, or have another. */
  async #passOn(
    collective: Collective,
    givers: readonly number[],
    own: Uint8Array | undefined,
    hash: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { rank, size } = collective;
    const { lengths } = this.engine.layout;
    const floats = stateSections.reduce((sum, section) => sum + lengths[section], this.velocity.length);
    const total = 4 * floats;
    const bound = (at: number): number => Math.floor((total * at) / givers.length);
    const place = givers.indexOf(rank);
    const nothing = new Uint8Array(0);
    const part = own && place >= 0 ? own.subarray(bound(place), bound(place + 1)) : nothing;
    const pieces = Array.from({ length: size }, (_, to) => (givers.includes(to) ? nothing : part));
    const received = await collective.exchange(pieces, { signal, maxBytes: total });
    if (place >= 0) return;
    const bytes = new Uint8Array(total);
    for (const [at, giver] of givers.entries()) {
      const piece = received[giver]!;
      if (piece.length !== bound(at + 1) - bound(at)) {
        throw new PeerMessageError(
          `Rank ${giver} sent ${piece.length} bytes of state; expected ${bound(at + 1) - bound(at)}`,
          [collective.members[giver]!],
        );
      }
      bytes.set(piece, bound(at));
    }
    if ((await sha256Hex(bytes)) !== hash) {
      throw new PeerMessageError(
        'The state that the others sent does not have the hash that they named',
        givers.map((giver) => collective.members[giver]!),
      );
    }
    this.#writeBytes(bytes);
  }

  /** From here on the engine's state is this member's alone. @returns what all have. */
  async beginLocalSteps(): Promise<Sections> {
    this.#agreed = await this.#read();
    return this.#agreed;
  }

  /** The outer step: all members go on from this. */
  commitLocalSteps(agreed: Sections, velocity: Float32Array<ArrayBuffer>, step: number): void {
    for (const section of stateSections) this.engine.write(section, agreed[section]);
    this.velocity = velocity;
    this.#agreed = undefined;
    this.step = step;
  }

  #giveUpLocalSteps(): void {
    if (!this.#agreed) return;
    for (const section of stateSections) this.engine.write(section, this.#agreed[section]);
    this.#agreed = undefined;
  }

  async #read(): Promise<Sections> {
    const { engine } = this;
    // Asked for at once: the next step may change what is read later.
    const [parameters, statistics, optimizer] = await Promise.all([
      engine.read('parameters'),
      engine.read('statistics'),
      engine.read('optimizer'),
    ]);
    return { parameters, statistics, optimizer };
  }

  /** All sections and the velocity, one after another. */
  async #bytes(): Promise<Uint8Array> {
    const parts: Float32Array[] = [];
    for (const section of stateSections) parts.push(await this.engine.read(section));
    parts.push(this.velocity);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
    let at = 0;
    for (const part of parts) {
      bytes.set(bytesUnder(part), at);
      at += part.byteLength;
    }
    return bytes;
  }

  #writeBytes(bytes: Uint8Array<ArrayBuffer>): void {
    let at = 0;
    for (const section of stateSections) {
      const length = this.engine.layout.lengths[section];
      this.engine.write(section, new Float32Array(bytes.buffer, at, length));
      at += 4 * length;
    }
    this.velocity = new Float32Array(bytes.buffer, at, this.velocity.length);
  }

  /** As it is stored and as checkpoints are made of it. */
  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    // Before the engine is waited for: they are of the same step as what it reads.
    const { engine, step, velocity } = this;
    const values = await this.#read();
    return encodeState(
      fromSections(engine.layout, values, step, this.#spec.localSteps ? velocity : undefined),
    );
  }
}

function layoutKey({ slots, buckets, lengths }: EngineLayout): unknown {
  return [slots.map(({ name, shape, section, offset }) => [name, shape, section, offset]), buckets, lengths];
}

function readGreeting(bytes: Uint8Array): Greeting {
  const { step, hash, layout, device } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Greeting>;
  const texts = [hash, layout, device];
  if (Number.isSafeInteger(step) && texts.every((text) => typeof text === 'string')) {
    return { step: step!, hash: hash!, layout: layout!, device: device! };
  }
  throw new BadAssignmentError('a member greeted with something that is no greeting');
}
