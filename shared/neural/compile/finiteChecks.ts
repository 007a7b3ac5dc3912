// Where to look for the first value of a step that is not finite: what layers give, the gradients that reach them, and
// the gradients of their weights. Memory is shared, so each must be looked at right after it was made.

import type { KernelCall } from '../../../kernels/neural/kernelCall.ts';
import { findNonFinite } from '../../../kernels/neural/ops/findNonFinite.ts';
import type { BufferView } from '../../../kernels/neural/program.ts';
import { elementsOf } from '../engineLayout.ts';
import type { OperationType } from '../layerGraph.ts';
import type { LayerContext } from './layerContext.ts';
import type { ProgramBuilder } from './programBuilder.ts';

export interface FiniteCheck {
  readonly layer: string;
  readonly phase: 'backward' | 'forward';
  /** The check follows this call. Undefined: it comes first. */
  readonly after: KernelCall | undefined;
  /** Raises the flag of the check's own place. */
  readonly call: KernelCall;
}

/** A flag has a view of its own, which WebGPU wants to start at 256 bytes: checks of equal arrays are then one kernel. */
export const FLAG_WORDS = 64;

export class FiniteChecks {
  readonly found: FiniteCheck[] = [];
  private readonly builder: ProgramBuilder;

  constructor(builder: ProgramBuilder) {
    this.builder = builder;
  }

  afterForward(context: LayerContext<OperationType>): void {
    const { operation, node, layer, state } = context;
    if (operation.type === 'input' && operation.dtype === 'int32') return;
    const inputs = node.inputs.map((place) => state.graph.nodes[place]?.operation);
    // Reshaped indices are no numbers either.
    if (
      operation.type === 'reshape' &&
      inputs.some((input) => input?.type === 'input' && input.dtype === 'int32')
    )
      return;
    const length = elementsOf(state.graph.nodes[layer.last]?.shape ?? []);
    this.add(context.name, 'forward', context.valueOf(layer.last), { length, perExample: true });
  }

  beforeBackward(context: LayerContext<OperationType>): void {
    const length = elementsOf(context.state.graph.nodes[context.layer.last]?.shape ?? []);
    this.add(context.name, 'backward', context.gradient(), { length, perExample: true });
  }

  afterBackward(context: LayerContext<OperationType>): void {
    context.node.weights.forEach(({ shape }, k) => {
      const gradient = context.weightGradient(k);
      if (gradient === undefined) return;
      this.add(context.name, 'backward', gradient, { length: elementsOf(shape), perExample: false });
    });
  }

  /** Bytes of all flags. */
  get flagBytes(): number {
    return 4 * FLAG_WORDS * Math.max(1, this.found.length);
  }

  flagViews(): Record<string, BufferView> {
    const all = { allocation: 'flags', offsetBytes: 0, bytes: this.flagBytes, type: 'u32' } as const;
    const each = this.found.map((_, k) => {
      return [`flag:${k}`, { ...all, offsetBytes: 4 * FLAG_WORDS * k, bytes: 4 }] as const;
    });
    return { flags: all, ...Object.fromEntries(each) };
  }

  private add(
    layer: string,
    phase: FiniteCheck['phase'],
    buffer: string,
    size: { readonly length: number; readonly perExample: boolean },
  ): void {
    const call = findNonFinite(layer, phase, buffer, size, `flag:${this.found.length}`);
    this.found.push({ layer, phase, after: this.builder.calls.at(-1), call });
  }
}
