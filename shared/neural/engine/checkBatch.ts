// Whether a batch fits the net, before any of it reaches a device: a kernel would compute something from anything.

import type { CompiledNet } from '../compile/compileNet.ts';
import { elementsOf } from '../engineLayout.ts';
import type { LayerGraph } from '../layerGraph.ts';
import { EngineMisuseError } from '../netErrors.ts';
import type { EngineSpec, Microbatch, TargetValues } from '../trainingEngine.ts';

const kindOf = (values: TargetValues): string => (values instanceof Int32Array ? 'int32' : 'float32');

/** Names the array, and the example at fault. */
function checkIndices(what: string, values: TargetValues, perExample: number, classes: number): void {
  const wrong = values.findIndex((value) => value < 0 || value >= classes);
  if (wrong < 0) return;
  throw new EngineMisuseError(
    `${what} of example ${Math.floor(wrong / perExample)} is ${values[wrong]}; expected 0 to ${classes - 1}.`,
    { row: Math.floor(wrong / perExample) },
  );
}

function checkArray(
  what: string,
  values: TargetValues | undefined,
  length: number,
  kind: 'float32' | 'int32',
): void {
  if (values === undefined) throw new EngineMisuseError(`${what} is missing.`);
  if (kindOf(values) !== kind) throw new EngineMisuseError(`${what} is ${kindOf(values)}, expected ${kind}.`);
  if (values.length === length) return;
  throw new EngineMisuseError(`${what} has ${values.length} values, expected ${length}.`);
}

/** The smallest vocabulary that looks an input's indices up; infinite where none does. */
export function vocabularyOf(graph: LayerGraph, input: number): number {
  const carried = new Set([input]);
  let least = Infinity;
  graph.nodes.forEach(({ operation, inputs }, place) => {
    if (!inputs.some((from) => carried.has(from))) return;
    if (operation.type === 'reshape') carried.add(place);
    if (operation.type === 'embedding') least = Math.min(least, operation.vocabulary);
  });
  return least;
}

export function checkInputs(
  { graph, microbatchSize }: Pick<EngineSpec, 'graph' | 'microbatchSize'>,
  inputs: readonly TargetValues[],
  examples: number,
): void {
  if (!Number.isInteger(examples) || examples < 0 || examples > microbatchSize) {
    throw new EngineMisuseError(`A batch has ${examples} examples; expected 0 to ${microbatchSize}.`);
  }
  if (inputs.length !== graph.inputs.length) {
    throw new EngineMisuseError(`A batch has ${inputs.length} inputs; the net has ${graph.inputs.length}.`);
  }
  graph.inputs.forEach((place, k) => {
    const node = graph.nodes[place];
    if (node?.operation.type !== 'input') return;
    const what = `Input "${node.name}"`;
    const perExample = elementsOf(node.shape);
    checkArray(what, inputs[k], examples * perExample, node.operation.dtype);
    if (node.operation.dtype !== 'int32' || inputs[k] === undefined) return;
    checkIndices(what, inputs[k], perExample, vocabularyOf(graph, place));
  });
}

export function checkTargets({ loss }: CompiledNet, targets: TargetValues, examples: number): void {
  const { form, targetLength } = loss;
  checkArray('The target', targets, examples * targetLength, form.sparse ? 'int32' : 'float32');
  if (form.sparse) checkIndices('The class', targets, form.rowsPerExample, form.length);
}

export function checkMicrobatch(spec: EngineSpec, net: CompiledNet, batch: Microbatch): void {
  checkInputs(spec, batch.inputs, batch.examples);
  checkTargets(net, batch.targets, batch.examples);
  if (batch.exampleIds.length !== batch.examples) {
    throw new EngineMisuseError(
      `A batch of ${batch.examples} examples has ${batch.exampleIds.length} example ids.`,
    );
  }
}
