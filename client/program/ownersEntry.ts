// What `import … from 'tabgrad'` gives in an owner's code on workers (dist/owner/tabgrad.js): the part of the owner's API
// that runs on every platform. Types are those of the whole API; they are gone before code travels.

export { TabgradError, errorCodes } from '../../kernels/errors.ts';
export { resnet18 } from '../../shared/neural/model/resnet18.ts';
export { TreePredictor as GBDTPredictor } from '../../shared/gbdt/model/treePredictor.ts';
