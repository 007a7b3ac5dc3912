// Counts the bytes of live GPU buffers, so that tests can show that nothing leaks and workers can say what they hold.

export class BufferTracker {
  private readonly live = new Set<GPUBuffer>();
  private bytes = 0;
  private peak = 0;

  create(device: GPUDevice, descriptor: GPUBufferDescriptor): GPUBuffer {
    const buffer = device.createBuffer(descriptor);
    this.live.add(buffer);
    this.bytes += buffer.size;
    this.peak = Math.max(this.peak, this.bytes);
    return buffer;
  }

  destroy(buffer: GPUBuffer): void {
    if (!this.live.delete(buffer)) return;
    this.bytes -= buffer.size;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of this.live) this.destroy(buffer);
  }

  get liveBytes(): number {
    return this.bytes;
  }

  /** Most bytes that were live at once. */
  get peakBytes(): number {
    return this.peak;
  }
}
