// Update rules of the weights, as data. kernels/neural/ops/update.ts computes them.

/** Update rules with what stays the same during a run. Learning rates come with each update. */
export type OptimizerSpec =
  /** v ← momentum·v + g, w ← w − rate·(nesterov ? g + momentum·v : v); PyTorch's SGD. */
  | {
      readonly name: 'sgd';
      readonly momentum: number;
      readonly nesterov: boolean;
      /** L2, added to the gradient. */
      readonly weightDecay: number;
    }
  /** Kingma & Ba 2015. `weightDecay` is added to the gradient (PyTorch's Adam). */
  | {
      readonly name: 'adam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    }
  /** Loshchilov & Hutter 2019: `weightDecay` · rate is taken off the weights. */
  | {
      readonly name: 'adamw';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly weightDecay: number;
    };

/** How many arrays as long as the parameters an optimizer keeps. */
export function optimizerSlots(optimizer: OptimizerSpec): number {
  if (optimizer.name !== 'sgd') return 2;
  return optimizer.momentum === 0 ? 0 : 1;
}
