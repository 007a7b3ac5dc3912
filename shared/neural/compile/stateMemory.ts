// The memory of a net that lasts longer than a microbatch: weights, gradients, optimizer state, and the tables that the
// update reads; each weight with a view of its own.

import type { Allocation, BufferView, MemoryKind } from '../../../kernels/neural/program.ts';
import { squaresLength, type UpdatePiece } from '../../../kernels/neural/ops/update.ts';
import { BLOCK_LENGTH, TRAIT_FLOATS, type UpdateForm } from '../../../kernels/neural/updateForm.ts';
import { penaltiesLength } from '../../../kernels/neural/ops/penalty.ts';
import { optimizerSlots } from '../../../kernels/neural/optimizer.ts';
import { alignSlot, type weightLayout } from '../engineLayout.ts';
import type { LayerGraph, WeightSpec } from '../layerGraph.ts';
import type { EngineLayout, EngineSpec } from '../trainingEngine.ts';

export interface StateMemory {
  readonly allocations: readonly Allocation[];
  readonly views: Readonly<Record<string, BufferView>>;
  readonly contents: Readonly<Record<string, Float32Array<ArrayBuffer>>>;
  readonly updateForm: UpdateForm;
  /** Whether weights that are trained have penalties. */
  readonly hasPenalties: boolean;
  /** Pieces of the parameters that fit a binding. */
  readonly pieces: readonly UpdatePiece[];
}

class StateViews {
  readonly allocations: Allocation[] = [];
  readonly views: Record<string, BufferView> = {};

  /** A buffer with a view of all of it. */
  allocate(name: string, elements: number, kind: MemoryKind, type: BufferView['type'] = 'f32'): void {
    this.allocations.push({ name, bytes: Math.max(4, 4 * elements), kind });
    this.view(name, name, 0, Math.max(1, elements), type);
  }

  view(
    name: string,
    allocation: string,
    offset: number,
    length: number,
    type: BufferView['type'] = 'f32',
  ): void {
    this.views[name] = { allocation, offsetBytes: 4 * offset, bytes: 4 * length, type };
  }
}

/** Those among the parameters. */
function weightsOf(graph: LayerGraph): WeightSpec[] {
  return graph.nodes.flatMap((node) =>
    node.operation.type === 'batchNormalization' ? node.weights.slice(0, -2) : node.weights,
  );
}

function updateFormOf(spec: EngineSpec): UpdateForm {
  const weights = weightsOf(spec.graph);
  const hasTraits = weights.some(({ trainable, l1 = 0, l2 = 0 }) => !trainable || l1 !== 0 || l2 !== 0);
  return { optimizer: spec.optimizer, clipNorm: spec.clipNorm, clipValue: spec.clipValue, hasTraits };
}

/** l1, l2 and whether it is trained, for each block of the parameters. */
function traitsOf(graph: LayerGraph, layout: EngineLayout): Float32Array<ArrayBuffer> {
  const table = new Float32Array((layout.lengths.parameters / BLOCK_LENGTH) * TRAIT_FLOATS);
  const weights = new Map(graph.nodes.flatMap((node) => node.weights).map((weight) => [weight.name, weight]));
  for (const { name, section, offset, length } of layout.slots) {
    const weight = weights.get(name);
    if (section !== 'parameters' || weight === undefined) continue;
    const traits = [weight.l1 ?? 0, weight.l2 ?? 0, weight.trainable ? 1 : 0, 0];
    for (let at = offset; at < offset + alignSlot(length); at += BLOCK_LENGTH) {
      table.set(traits, (at / BLOCK_LENGTH) * TRAIT_FLOATS);
    }
  }
  return table;
}

/** Momentum of each moving statistic: 1 for those that stay, of which there are no sums. */
function momentumsOf(graph: LayerGraph, layout: EngineLayout): Float32Array<ArrayBuffer> {
  const table = new Float32Array(layout.lengths.statistics).fill(1);
  const slots = new Map(layout.slots.map((slot) => [slot.name, slot]));
  for (const { operation, weights } of graph.nodes) {
    if (operation.type !== 'batchNormalization') continue;
    for (const { name } of weights.slice(-2)) {
      const slot = slots.get(name);
      const momentum = operation.frozen === true ? 1 : operation.momentum;
      if (slot !== undefined) table.fill(momentum, slot.offset, slot.offset + slot.length);
    }
  }
  return table;
}

/** Memory of the weights alone. */
export function weightMemory({
  slots,
  lengths,
}: ReturnType<typeof weightLayout>): Pick<StateMemory, 'allocations' | 'views'> {
  const state = new StateViews();
  state.allocate('parameters', lengths.parameters, 'parameters');
  state.allocate('statistics', lengths.statistics, 'parameters');
  for (const { name, section, offset, length } of slots)
    state.view(`weight:${name}`, section, offset, length);
  return state;
}

/** @param maxBindingBytes most that a kernel can see of one buffer. */
export function stateMemory(spec: EngineSpec, layout: EngineLayout, maxBindingBytes: number): StateMemory {
  const { parameters, statistics } = layout.lengths;
  const updateForm = updateFormOf(spec);
  const state = new StateViews();
  state.allocate('parameters', parameters, 'parameters');
  state.allocate('statistics', statistics, 'parameters');
  state.allocate('optimizer', layout.lengths.optimizer, 'optimizer');
  state.allocate('reduction', layout.reductionLength, 'gradients');
  state.view('gradients', 'reduction', 0, Math.max(1, parameters));
  if (statistics > 0) state.view('statisticsSums', 'reduction', parameters, statistics);
  for (const { name, section, offset, length } of layout.slots) {
    state.view(`weight:${name}`, section, offset, length);
    state.view(`gradient:${name}`, 'reduction', (section === 'statistics' ? parameters : 0) + offset, length);
  }
  // Loss, metrics, and the penalty of the weights.
  state.allocate('totals', 2 + spec.metrics.length, 'workspace');
  const contents: Record<string, Float32Array<ArrayBuffer>> = {};
  if (statistics > 0) {
    state.allocate('momentums', statistics, 'workspace');
    contents['momentums'] = momentumsOf(spec.graph, layout);
  }
  if (updateForm.hasTraits) {
    contents['traits'] = traitsOf(spec.graph, layout);
    state.allocate('traits', contents['traits'].length, 'workspace');
  }
  // Whole blocks of the trait table, which is read at 256 bytes' alignment too.
  const step = 16 * BLOCK_LENGTH;
  const pieceLength = Math.floor(maxBindingBytes / 4 / step) * step;
  const pieces: UpdatePiece[] = [];
  for (let offset = 0; offset < parameters; offset += pieceLength) {
    const length = Math.min(pieceLength, parameters - offset);
    const k = pieces.length;
    const buffers: Record<string, string> = {};
    const piece = (binding: string, allocation: string, at: number, size: number): void => {
      buffers[binding] = `${binding}@${k}`;
      state.view(`${binding}@${k}`, allocation, at, size);
    };
    piece('parameters', 'parameters', offset, length);
    piece('gradients', 'reduction', offset, length);
    for (let slot = 0; slot < optimizerSlots(updateForm.optimizer); slot += 1) {
      piece(`slot${slot}`, 'optimizer', slot * parameters + offset, length);
    }
    if (updateForm.hasTraits) {
      const at = (offset / BLOCK_LENGTH) * TRAIT_FLOATS;
      piece('traits', 'traits', at, (length / BLOCK_LENGTH) * TRAIT_FLOATS);
    }
    pieces.push({ length, buffers });
  }
  if (updateForm.clipNorm !== undefined) {
    state.allocate('squares', squaresLength(pieces.length), 'workspace');
    state.allocate('norm', 1, 'workspace');
  }
  const hasPenalties = weightsOf(spec.graph).some(
    ({ trainable, l1 = 0, l2 = 0 }) => trainable && (l1 !== 0 || l2 !== 0),
  );
  if (hasPenalties) state.allocate('penalties', penaltiesLength(pieces.length), 'workspace');
  return { hasPenalties, allocations: state.allocations, views: state.views, contents, updateForm, pieces };
}
