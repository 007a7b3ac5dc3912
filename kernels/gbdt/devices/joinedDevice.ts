// Several tree devices as one: a memory of WebAssembly has 4 GiB at most, and who has more rows needs more memories.

import type { BinnedTree } from '../binnedTree.ts';
import { DeviceStateError } from '../deviceErrors.ts';
import { DeviceFailedError } from '../../gpu/gpuErrors.ts';
import type { BinnedBlock, LoadedBlock, NodeSplit, TreeDevice } from '../treeDevice.ts';

class JoinedTreeDevice implements TreeDevice {
  readonly description: TreeDevice['description'];
  readonly splitSearch: TreeDevice['splitSearch'];
  readonly lost: Promise<string>;
  readonly #open: () => Promise<TreeDevice>;
  readonly #devices: TreeDevice[];
  readonly #owners = new Map<LoadedBlock, TreeDevice>();
  #lose: (reason: string) => void = () => {};

  constructor(first: TreeDevice, open: () => Promise<TreeDevice>) {
    this.description = first.description;
    this.splitSearch = first.splitSearch;
    this.#open = open;
    this.#devices = [first];
    this.lost = new Promise((resolve) => (this.#lose = resolve));
    void first.lost.then(this.#lose);
  }

  async load(block: BinnedBlock, role: LoadedBlock['role']): Promise<LoadedBlock> {
    const last = this.#devices.at(-1)!;
    try {
      return this.#own(last, await last.load(block, role));
    } catch (error) {
      // A device that holds nothing has all the room that there is.
      if (!(error instanceof DeviceFailedError) || ![...this.#owners.values()].includes(last)) throw error;
    }
    const next = await this.#open();
    this.#devices.push(next);
    void next.lost.then(this.#lose);
    return this.#own(next, await next.load(block, role));
  }

  unload(block: LoadedBlock): void {
    this.#owners.get(block)?.unload(block);
    this.#owners.delete(block);
  }

  beginTree(round: number, output: number): void {
    for (const device of this.#devices) device.beginTree(round, output);
  }

  async buildHistograms(nodes: Int32Array, limb?: 'high' | 'low'): Promise<Float64Array> {
    const [first, ...others] = this.#devices;
    const sums = await first!.buildHistograms(nodes, limb);
    for (const device of others) {
      const more = await device.buildHistograms(nodes, limb);
      for (let i = 0; i < sums.length; i += 1) sums[i]! += more[i]!;
    }
    return sums;
  }

  applySplits(splits: readonly NodeSplit[]): void {
    for (const device of this.#devices) device.applySplits(splits);
  }

  applyTrees(blocks: readonly LoadedBlock[], trees: readonly BinnedTree[]): void {
    const owners = blocks.map((block) => this.#ownerOf(block));
    for (const device of this.#devices) {
      const own = blocks.filter((_, i) => owners[i] === device);
      device.applyTrees(own, trees);
    }
  }

  async readMargins(block: LoadedBlock): Promise<Int32Array> {
    return this.#ownerOf(block).readMargins(block);
  }

  async close(): Promise<void> {
    this.#owners.clear();
    await Promise.all(this.#devices.map((device) => device.close()));
  }

  #own(device: TreeDevice, block: LoadedBlock): LoadedBlock {
    this.#owners.set(block, device);
    return block;
  }

  #ownerOf(block: LoadedBlock): TreeDevice {
    const owner = this.#owners.get(block);
    if (owner) return owner;
    throw new DeviceStateError(`The block from row ${block.firstRow} is not loaded on this device.`);
  }
}

/** A device that opens another one whenever the last has no room for a block. @param open makes an empty one. */
export async function joinTreeDevices(open: () => Promise<TreeDevice>): Promise<TreeDevice> {
  return new JoinedTreeDevice(await open(), open);
}
