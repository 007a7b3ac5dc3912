// Who holds which gradient while the backward pass is compiled. A node's gradient is the sum of what its consumers pass
// to it; a buffer that several nodes hold must not be changed by one of them.

export class GradientFlow {
  /** Buffers passed to each node so far. */
  private readonly passed = new Map<number, string[]>();
  private readonly holders = new Map<string, number>();

  pass(node: number, buffer: string): void {
    this.passed.set(node, [...(this.passed.get(node) ?? []), buffer]);
    this.holders.set(buffer, (this.holders.get(buffer) ?? 0) + 1);
  }

  /** All buffers of a node. They stay held until `release`. */
  take(node: number): string[] {
    const buffers = this.passed.get(node) ?? [];
    this.passed.delete(node);
    return buffers;
  }

  /** A buffer that only this node holds, so that more may be added to it. */
  ownOf(node: number): string | undefined {
    return this.passed.get(node)?.find((buffer) => this.isOwn(buffer));
  }

  isOwn(buffer: string): boolean {
    return this.holders.get(buffer) === 1;
  }

  /** A buffer that the layer being computed holds for itself. */
  hold(buffer: string): void {
    this.holders.set(buffer, (this.holders.get(buffer) ?? 0) + 1);
  }

  release(buffer: string): void {
    this.holders.set(buffer, (this.holders.get(buffer) ?? 1) - 1);
  }
}
