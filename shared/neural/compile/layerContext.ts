// What the compiler of one layer sees: its place in the graph, names of buffers, and where its dispatches go.

import { addTo, copy, sum } from '../../../kernels/neural/ops/arithmetic.ts';
import type { ReductionContext } from '../../../kernels/neural/ops/columnBlocks.ts';
import type { ElementwiseFormula } from '../../../kernels/neural/ops/elementwise.ts';
import { elementwise } from '../../../kernels/neural/ops/elementwise.ts';
import type { ConvolutionKernels } from '../../../kernels/neural/convolution.ts';
import type { KernelPlan } from '../../../kernels/neural/kernelCall.ts';
import { ofParts } from '../../../kernels/neural/ofParts.ts';
import type { AdapterClass } from '../../../kernels/neural/product/chooseTile.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerGraph, LayerNode, OperationOf, OperationType, Shape } from '../layerGraph.ts';
import type { FusedLayer } from './fuseLayers.ts';
import type { GradientFlow } from './gradientFlow.ts';
import type { ProgramBuilder, Use } from './programBuilder.ts';
import type { ShapeRule } from './shapeRule.ts';

/** What all layers of a net share. */
export interface CompileState {
  readonly graph: LayerGraph;
  readonly builder: ProgramBuilder;
  readonly flow: GradientFlow;
  readonly convolutions: { readonly plain: ConvolutionKernels; readonly grouped: ConvolutionKernels };
  readonly adapter: AdapterClass;
  readonly syncBatchNorm: boolean;
  /** Whether there is nothing but a forward pass: no dropout, and nothing is kept for gradients. */
  readonly forwardOnly: boolean;
  /** Buffer of each node's value. */
  readonly values: Map<number, string>;
  /** Nodes that weights to be trained lie in or before. */
  readonly learning: ReadonlySet<number>;
}

export class LayerContext<T extends OperationType> {
  readonly layer: FusedLayer;
  /** Its shape is that of a part, where the layer sees parts. */
  readonly node: LayerNode;
  readonly operation: OperationOf<T>;
  readonly state: CompileState;
  /** The gradient of what comes out, while the backward pass is compiled. */
  private held: string | undefined;

  private readonly forwardUse: Use;
  private readonly parts: number;

  /** @param forwardUse what the forward pass is needed for. */
  constructor(state: CompileState, layer: FusedLayer, forwardUse: Use = 'all') {
    this.state = state;
    this.layer = layer;
    this.forwardUse = forwardUse;
    const node = state.graph.nodes[layer.node];
    if (node === undefined) throw new RangeError(`The graph has no node ${layer.node}.`);
    // Compilers see one part, as if it were an example.
    this.parts = node.parts ?? 1;
    this.node = node.parts === undefined ? node : { ...node, shape: node.shape.slice(1) };
    // The registry of layers is by type: a compiler only sees its own.
    this.operation = node.operation as OperationOf<T>;
  }

  get name(): string {
    return this.node.name;
  }

  inputShape(k = 0): Shape {
    const shape = this.state.graph.nodes[this.node.inputs[k] ?? -1]?.shape ?? [];
    return this.node.parts === undefined ? shape : shape.slice(1);
  }

  /** Buffer of an input's value. */
  input(k = 0): string {
    return this.valueOf(this.node.inputs[k] ?? -1);
  }

  valueOf(node: number): string {
    const value = this.state.values.get(node);
    if (value === undefined) throw new RangeError(`Node ${node} has no value yet.`);
    return value;
  }

  /** Buffer of what comes out, declared when it is first asked for. */
  output(): string {
    const { values, builder, graph } = this.state;
    const { last } = this.layer;
    const known = values.get(last);
    if (known !== undefined) return known;
    const name = builder.declare(`value:${last}`, elementsOf(graph.nodes[last]?.shape ?? []));
    values.set(last, name);
    return name;
  }

  /** Views of the k-th weight and of its gradient; no gradient of what is not trained. */
  weight(k: number): string {
    return `weight:${this.node.weights[k]?.name ?? k}`;
  }

  weightGradient(k: number): string | undefined {
    const weight = this.node.weights[k];
    return weight?.trainable === true ? `gradient:${weight.name}` : undefined;
  }

  /** A value that the backward pass needs again: so many elements an example, or in all. */
  keep(what: string, elementsPerExample: number, type: 'f32' | 'u32' = 'f32'): string {
    return this.state.builder.declare(`${what}:${this.layer.node}`, elementsPerExample * this.parts, type);
  }

  keepFixed(what: string, elements: number): string {
    return this.state.builder.declareFixed(`${what}:${this.layer.node}`, elements);
  }

  kept(what: string): string {
    return `${what}:${this.layer.node}`;
  }

  /** Emits what a factory makes of this layer's context. */
  emit(use: Use, make: (context: ReductionContext) => KernelPlan): void {
    const { builder, adapter } = this.state;
    const workspace = builder.freshName(`workspace:${this.layer.node}`);
    const maxExamples = builder.maxExamples * this.parts;
    const plan = ofParts(make({ layer: this.name, maxExamples, workspace, adapter }), this.parts);
    builder.emit(plan, use === 'all' ? this.forwardUse : use, workspace);
  }

  emitElementwise(
    phase: 'backward' | 'forward',
    formula: ElementwiseFormula,
    length: number,
    buffers: Readonly<Record<string, string>>,
  ): void {
    const use = phase === 'forward' ? 'all' : 'training';
    this.emit(use, (context) => elementwise(context, phase, formula, length, buffers));
  }

  /** Whether anything before this input is to be trained. */
  inputLearns(k = 0): boolean {
    return this.state.learning.has(this.node.inputs[k] ?? -1);
  }

  /** Adds up what consumers passed. False if nothing depends on this layer. */
  beginBackward(): boolean {
    const { flow } = this.state;
    const length = this.outputLength();
    const [first, ...others] = flow.take(this.layer.last);
    if (first === undefined) return false;
    let total = first;
    for (const other of others) {
      const [own, more] = flow.isOwn(other) ? [other, total] : [total, other];
      if (flow.isOwn(own)) {
        this.emitElementwise('backward', addTo, length / this.parts, { a: more, result: own });
        flow.release(more);
        total = own;
      } else {
        const fresh = this.fresh(this.layer.last, length);
        flow.hold(fresh);
        this.emitElementwise('backward', sum, length / this.parts, { a: total, b: other, result: fresh });
        flow.release(total);
        flow.release(other);
        total = fresh;
      }
    }
    this.held = total;
    return true;
  }

  endBackward(): void {
    if (this.held !== undefined) this.state.flow.release(this.held);
    this.held = undefined;
  }

  /** The gradient of what comes out, to be read. */
  gradient(): string {
    if (this.held === undefined) throw new RangeError(`"${this.name}" is not in its backward pass.`);
    return this.held;
  }

  /** The same, to be changed in place. */
  ownGradient(): string {
    const { flow } = this.state;
    const shared = this.gradient();
    if (flow.isOwn(shared)) return shared;
    const length = this.outputLength();
    const fresh = this.fresh(this.layer.last, length);
    flow.hold(fresh);
    this.emitElementwise('backward', copy, length / this.parts, { a: shared, result: fresh });
    flow.release(shared);
    this.held = fresh;
    return fresh;
  }

  /** Says that a buffer is (part of) the gradient of a node's value. */
  pass(node: number, buffer: string): void {
    if (this.state.learning.has(node)) this.state.flow.pass(node, buffer);
  }

  passToInput(buffer: string, k = 0): void {
    this.pass(this.node.inputs[k] ?? -1, buffer);
  }

  /** A buffer to write the gradient of an input to, or, with `accumulate`, one to add it to. */
  inputGradient(k = 0): { readonly buffer: string; readonly accumulate: boolean } {
    const input = this.node.inputs[k] ?? -1;
    const known = this.state.flow.ownOf(input);
    if (known !== undefined) return { buffer: known, accumulate: true };
    return { buffer: this.freshInputGradient(k), accumulate: false };
  }

  /** A buffer of its own for the gradient of an input. */
  freshInputGradient(k = 0): string {
    const input = this.node.inputs[k] ?? -1;
    const fresh = this.fresh(input, elementsOf(this.inputShape(k)) * this.parts);
    this.pass(input, fresh);
    return fresh;
  }

  /** Elements an example, of all parts. */
  private outputLength(): number {
    return elementsOf(this.state.graph.nodes[this.layer.last]?.shape ?? []);
  }

  private fresh(node: number, length: number): string {
    const { builder } = this.state;
    return builder.declare(builder.freshName(`slope:${node}`), length);
  }
}

/** How one type of operation becomes dispatches. */
export interface LayerCompiler<T extends OperationType> {
  /** What comes out of its inputs, and the shapes of its weights; or what is wrong. */
  readonly shape: ShapeRule<T>;
  /** Emits what computes `context.output()`. */
  readonly forward: (context: LayerContext<T>) => void;
  /** Emits gradients of weights and inputs from `context.gradient()`. */
  readonly backward: (context: LayerContext<T>) => void;
}
