// The first words on a channel, as JSON text. The dialler says who it is and for which group; the other end answers and
// proves that it knows the key of this link; the dialler proves the same, and confirms by it. Only then is the channel a
// link: whatever is at the other end without the key is refused, and a dialler which gave up a slow channel and went on
// by another path never leaves the other end with a dead link.

import { messageOf } from '../../shared/text/messageOf.ts';
import { FRAME_VERSION, MAX_FRAME_BYTES } from '../../shared/wire/frame.ts';
import { checkLinkProof, linkProof, randomNonce, type LinkTranscript } from './linkProof.ts';
import type { ChannelTerms, RawChannel } from './peerEndpoint.ts';
import { PeerLostError } from './transportErrors.ts';

/** Far below every transport's limit, and enough for any frame header with some payload. */
const MIN_MESSAGE_BYTES = 1024;
const MAX_GREETING_CHARACTERS = 2048;
const NONCE = /^[0-9a-f]{32}$/;

export interface Greeting {
  readonly self: string;
  readonly peer: string;
  readonly group: string;
  /** Known to the coordinator and the two ends alone. */
  readonly key: string;
}

/** What one end says of itself. */
interface Introduction {
  readonly nonce: string;
  readonly maxMessageBytes: number;
}

/**
 * @returns Largest message that both ends take. Rejects when the channel closes or the other end says something else.
 * @throws PeerUnprovenError when it does not know the key.
 */
export async function greetAsDialler(channel: RawChannel, greeting: Greeting): Promise<number> {
  const words = new Words(channel, greeting.peer);
  const { ends, maxMessageBytes } = await opened(channel, greeting.peer);
  const mine = introduce(maxMessageBytes);
  channel.send(hello(greeting, mine));
  const answer = await words.next();
  const theirs = readHello(answer, greeting);
  const transcript: LinkTranscript = {
    group: greeting.group,
    dialler: { ...mine, workerId: greeting.self, certificates: ends.own },
    acceptor: { ...theirs, workerId: greeting.peer, certificates: ends.far },
  };
  checkLinkProof(answer['proof'], greeting.key, 'acceptor', transcript);
  channel.send(JSON.stringify({ type: 'chosen', proof: linkProof(greeting.key, 'dialler', transcript) }));
  words.stop();
  return Math.min(mine.maxMessageBytes, theirs.maxMessageBytes);
}

/** As greetAsDialler, at the other end. */
export async function greetAsAcceptor(channel: RawChannel, greeting: Greeting): Promise<number> {
  const words = new Words(channel, greeting.peer);
  const { ends, maxMessageBytes } = await opened(channel, greeting.peer);
  const theirs = readHello(await words.next(), greeting);
  const mine = introduce(maxMessageBytes);
  const transcript: LinkTranscript = {
    group: greeting.group,
    dialler: { ...theirs, workerId: greeting.peer, certificates: ends.far },
    acceptor: { ...mine, workerId: greeting.self, certificates: ends.own },
  };
  channel.send(hello(greeting, mine, linkProof(greeting.key, 'acceptor', transcript)));
  const { type, proof } = await words.next();
  if (type !== 'chosen') throw PeerLostError.of(greeting.peer, `it said ${String(type)}, expected chosen`);
  checkLinkProof(proof, greeting.key, 'dialler', transcript);
  words.stop();
  return Math.min(mine.maxMessageBytes, theirs.maxMessageBytes);
}

/** @throws PeerLostError when the channel ends before it opens. */
function opened(channel: RawChannel, peer: string): Promise<ChannelTerms> {
  return channel.opened.catch((error: unknown) => {
    throw PeerLostError.of(peer, messageOf(error));
  });
}

function introduce(maxMessageBytes: number): Introduction {
  return { nonce: randomNonce(), maxMessageBytes: Math.floor(Math.min(maxMessageBytes, MAX_FRAME_BYTES)) };
}

function hello({ self, peer, group }: Greeting, mine: Introduction, proof?: string): string {
  return JSON.stringify({
    type: 'hello',
    version: FRAME_VERSION,
    from: self,
    to: peer,
    group,
    ...mine,
    proof,
  });
}

function readHello(said: Record<string, unknown>, { self, peer, group }: Greeting): Introduction {
  const { type, version, from, to, nonce, maxMessageBytes } = said;
  if (type !== 'hello' || from !== peer || to !== self || said['group'] !== group) {
    throw PeerLostError.of(
      peer,
      `it greeted as ${String(from)} of group ${String(said['group'])}, expected ${group}`,
    );
  }
  if (version !== FRAME_VERSION) {
    throw PeerLostError.of(peer, `it speaks wire version ${String(version)}, this worker ${FRAME_VERSION}`);
  }
  if (typeof maxMessageBytes !== 'number' || !(maxMessageBytes >= MIN_MESSAGE_BYTES)) {
    throw PeerLostError.of(peer, `it takes messages of ${String(maxMessageBytes)} bytes at most`);
  }
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) {
    throw PeerLostError.of(peer, 'it greeted without a nonce of 128 bits');
  }
  return { nonce, maxMessageBytes };
}

/** Reads one message at a time and leaves what follows to the next receiver. */
class Words {
  readonly #channel: RawChannel;
  readonly #peer: string;

  constructor(channel: RawChannel, peer: string) {
    this.#channel = channel;
    this.#peer = peer;
  }

  next(): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      void this.#channel.closed.then((reason) => reject(PeerLostError.of(this.#peer, reason)));
      this.#channel.onMessage((message) => {
        this.#channel.onMessage(undefined);
        const said = typeof message === 'string' ? parse(message) : undefined;
        if (said) resolve(said);
        else reject(PeerLostError.of(this.#peer, 'its first words were no greeting'));
      });
    });
  }

  stop(): void {
    this.#channel.onMessage(undefined);
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  if (text.length > MAX_GREETING_CHARACTERS) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
