// One control socket as the pool sees it: text messages whole and in order, until it closes. The server makes them of
// WebSockets, simulations of memory.

export interface ControlConnection {
  /** Where the other end is, for logs. */
  readonly remoteAddress: string;
  /** Bytes accepted by `send` that the other end has not taken yet. */
  readonly bufferedBytes: number;
  send(text: string): void;
  /** Asks for a sign of life below the level of messages: a throttled background tab still answers these. */
  ping(): void;
  close(code: number, reason: string): void;
  /** Drops the connection without a goodbye: the other end does not answer anyway. */
  terminate(): void;
}

/** What a connection reports. After `closed` it reports nothing more. */
export interface ConnectionEvents {
  /** Longest message that is accepted at the moment; 0 when nothing more is listened to. */
  readonly maxMessageBytes: number;
  /** Whether it is known who is at the other end. */
  readonly hasJoined: boolean;
  message(text: string): void;
  pong(): void;
  closed(code: number, reason: string): void;
}

/** RFC 6455 close codes in use. */
export const closeCodes = { normal: 1000, goingAway: 1001, policy: 1008, tryAgainLater: 1013 } as const;
