// Pieces of a collective that go on side by side. While they are being started one may fail already, and starting the next
// may throw: the failure that counts is thrown, and the others are no unhandled rejections.

export class Tasks {
  readonly #started: Promise<void>[] = [];

  add(task: Promise<void>): void {
    task.catch(() => undefined);
    this.#started.push(task);
  }

  async done(): Promise<void> {
    await Promise.all(this.#started);
  }
}
