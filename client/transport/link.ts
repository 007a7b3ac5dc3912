// A byte-message pipe to one peer, whatever carries it: a WebRTC data channel, the coordinator's relay, or memory.
// Messages arrive whole and in order. Framing, chunks and checksums live above (client/collective).

export type LinkPath = 'direct' | 'relay' | 'memory';

export interface LinkStats {
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

export interface Link {
  /** Worker id of the other end. */
  readonly peer: string;
  readonly path: LinkPath;
  /** Largest message that both ends accept, in bytes. */
  readonly maxMessageBytes: number;
  readonly stats: LinkStats;
  /** Queues one message; resolves when there is room for the next (back-pressure). Rejects once the link is closed. */
  send(message: Uint8Array): Promise<void>;
  /** Called for every message. Set once, before messages are expected; earlier messages wait in a bounded queue. */
  onMessage(receive: (message: Uint8Array) => void): void;
  /** Resolves with the reason when the link is closed by either side. Never rejects. */
  readonly closed: Promise<string>;
  close(reason: string): void;
  /** Closes the link, but keeps what carries it for the next group with the same peer, where that is possible. */
  park?(reason: string): void;
}

/** Makes links between the members of a group. */
export interface LinkConnector {
  /**
   * Lets these peers dial this worker for the group, from now on: it may be long before it connects itself. `connect` does
   * the same for as long as it lasts. @returns How to stop.
   */
  expect(peers: readonly PeerAddress[], group: string): () => void;
  /**
   * Connects to every other member; the lower worker id (by code unit order) of a pair dials. Falls back to the relay by itself
   * when a direct link does not come up within `directTimeoutMs`. Both ends of a link have proved by its key who they are.
   * @throws DeadlineError naming the peer that could not be reached by any path.
   * @throws PeerUnprovenError naming the peer in whose place something else answered, where there is no other path.
   */
  connect(peers: readonly PeerAddress[], options: ConnectOptions): Promise<Map<string, Link>>;
  /**
   * Connects to peers that may be in the next group, so that `connect` finds the channels there. What does not come up directly
   * within `timeoutMs` is left to `connect`. Never rejects.
   */
  meet(peers: readonly PeerAddress[], options: ConnectOptions): Promise<void>;
  close(): Promise<void>;
}

export interface PeerAddress {
  readonly workerId: string;
  /** The worker's PeerJS id. */
  readonly peerId: string;
  /** The key of the link to it in this group, from the assignment. */
  readonly linkKey: string;
}

export interface ConnectOptions {
  /** Links of different runs or generations never mix. */
  readonly group: string;
  readonly directTimeoutMs?: number;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each peer to which there is a link. */
  readonly onLink?: (workerId: string) => void;
}
