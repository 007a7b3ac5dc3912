// Whether the calls of a model can be made at all. tfjs looks for the inputs of all calls, those that no output depends on too,
// and does so for ever where they never come.

import { NeuralModelError } from '../graph/modelErrors.ts';
import {
  modelOf,
  references,
  writtenNet,
  type Reference,
  type WrittenLayer,
  type WrittenNet,
} from './writtenNet.ts';

/**
 * What tfjs needs for building a model at all: of one with a call whose inputs never come it would never be done. For
 * those who leave the rest to tfjs; `readCalls` looks at the same.
 * @throws NeuralModelError
 */
export function checkTopology(topology: unknown): void {
  checkConnected(writtenNet(modelOf(topology), 0), 'tfjs');
}

/** Every call gets its inputs, those that no output depends on too, and layers have one name each. */
export function checkConnected({ className, layers, byName }: WrittenNet, reader?: 'tfjs'): void {
  for (const { net } of layers) if (net) checkConnected(net, reader);
  if (className === 'Sequential') return;
  for (const { config, name } of layers) {
    if (name === config.name) continue;
    throw new NeuralModelError(
      `the layer "${config.name}" of a ${className} is named ${JSON.stringify(name)?.slice(0, 200) ?? 'nothing'} beside its config`,
      { field: config.name },
    );
  }
  if (byName.size < layers.length)
    throw new NeuralModelError(`two layers of a ${className} have the same name`);
  /** Calls that are made so far; inputs and models are called once where they stand. */
  const made = new Map(
    layers.map((layer) => [layer.config.name, layer.net || layer.config.className === 'InputLayer' ? 1 : 0]),
  );
  interface Waiting {
    readonly layer: WrittenLayer;
    readonly sources: readonly Reference[];
    next: number;
  }
  /** By the layer whose call they wait for. */
  const waiting = new Map<string, Waiting[]>();
  const ready = layers.flatMap((layer) =>
    layer.nodes.flatMap((node): Waiting[] => {
      // Inputs are called with nothing.
      if (Array.isArray(node) && node.length === 0) return [];
      const where = `inbound_nodes of layer "${layer.config.name}"`;
      // One reference that is no list of them, as Keras writes for some layers, tfjs takes for a list of letters.
      if (reader === 'tfjs' && !(Array.isArray(node) && Array.isArray(node[0])))
        throw new NeuralModelError(`${where} are no lists of [layer, call, output]`, {
          field: layer.config.name,
        });
      return [{ layer, sources: references(node, where), next: 0 }];
    }),
  );
  let left = ready.length;
  for (let call = ready.pop(); call; call = ready.pop()) {
    const { layer, sources } = call;
    while (call.next < sources.length && isMade(made, sources[call.next]!)) call.next += 1;
    const source = sources[call.next];
    if (source) {
      const others = waiting.get(source.layer);
      if (others) others.push(call);
      else waiting.set(source.layer, [call]);
      continue;
    }
    left -= 1;
    const { name } = layer.config;
    made.set(name, (made.get(name) ?? 0) + 1);
    for (const other of waiting.get(name) ?? []) ready.push(other);
    waiting.delete(name);
  }
  if (left === 0) return;
  const [stuck] = [...waiting.values()].flat();
  const { layer, sources, next } = stuck!;
  const { layer: source, node } = sources[next]!;
  const { name } = layer.config;
  throw new NeuralModelError(
    `the layers of the model form a loop, or take what is not there: "${name}" waits for call ${node} of "${source.slice(0, 200)}"`,
    { field: name },
  );
}

function isMade(made: ReadonlyMap<string, number>, { layer, node }: Reference): boolean {
  return (made.get(layer) ?? 0) > node;
}
