// How far a net's predictions may differ between devices and engines, which round differently.

/**
 * As a share of the largest prediction of an output. Adapters and processors were seen to differ by less than a hundredth of
 * that (test/coordinator/predict/strangersPredictions.test.ts).
 */
export const NET_TOLERANCE = 1e-3;
