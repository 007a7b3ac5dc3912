// How quick each link is, from the counts of bytes that reports carry.

export interface LinkCount {
  readonly peer: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

const MEASURED_MS = 2_000;

/** Bytes a second, both ways together, over the last seconds. */
export class LinkSpeeds {
  readonly #links = new Map<string, { bytes: number; atMs: number; perSecond: number }>();

  measure(links: readonly LinkCount[], nowMs: number): void {
    const present = new Set(links.map(({ peer }) => peer));
    for (const peer of this.#links.keys()) if (!present.has(peer)) this.#links.delete(peer);
    for (const { peer, bytesSent, bytesReceived } of links) {
      const bytes = bytesSent + bytesReceived;
      const last = this.#links.get(peer);
      if (!last || bytes < last.bytes) this.#links.set(peer, { bytes, atMs: nowMs, perSecond: 0 });
      else if (nowMs - last.atMs >= MEASURED_MS) {
        const perSecond = ((bytes - last.bytes) / (nowMs - last.atMs)) * 1000;
        this.#links.set(peer, { bytes, atMs: nowMs, perSecond });
      }
    }
  }

  /** Bytes a second; 0 until it is known. */
  of(peer: string): number {
    return this.#links.get(peer)?.perSecond ?? 0;
  }
}
