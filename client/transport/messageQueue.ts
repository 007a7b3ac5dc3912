// Messages that arrive before somebody listens. Bounded, since the far side decides how many there are.

const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export class MessageQueue<Message extends Uint8Array | string> {
  readonly #maxWaitingBytes: number;
  readonly #waiting: Message[] = [];
  #waitingBytes = 0;
  #receive: ((message: Message) => void) | undefined;

  constructor(maxWaitingBytes = MAX_WAITING_BYTES) {
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  /** False when the message had to be dropped because there is no receiver and the queue is full. */
  push(message: Message): boolean {
    if (this.#receive && this.#waiting.length === 0) {
      this.#receive(message);
      return true;
    }
    this.#waitingBytes += message.length + 64;
    if (this.#waitingBytes > this.#maxWaitingBytes) return false;
    this.#waiting.push(message);
    return true;
  }

  /** Replaces the receiver, which gets what has waited first. It may replace itself while doing so. */
  onMessage(receive: ((message: Message) => void) | undefined): void {
    this.#receive = receive;
    while (this.#receive && this.#waiting.length > 0) {
      const message = this.#waiting.shift() as Message;
      this.#waitingBytes -= message.length + 64;
      this.#receive(message);
    }
  }
}
