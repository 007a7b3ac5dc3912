// Numbers of the kernels of trees and sizes of their tasks, as both sides read them.

export const GRADIENTS = 0;
export const PARTITION = 1;
export const SUM_ROWS = 2;
export const SUM_FEATURES = 3;
export const MERGE = 4;
export const ADD_STANDING = 5;
export const WALK = 6;
export const SEARCH = 7;

/** Rows of a task of gradients, and of one that walks. */
export const ROWS_PER_TASK = 16_384;
/** Doubles of a task that adds up the threads' cells. */
export const MERGED_DOUBLES = 8192;

/** Kinds of gradients. */
export const LOGISTIC = 0;
export const SOFTMAX = 1;
export const SQUARED_ERROR = 2;

/** Kinds of losses. */
export const LOG_LOSS = 0;
export const WRONG_CLASS = 1;
export const SQUARE = 2;
export const ABSOLUTE = 3;

/**
 * Bytes of a split that was found: 0 gain (f64, 0 for none), 8 feature, 12 bin, 16 1 for a missing value to the left, 20 1 for
 * categories, 24 to 56 left g, h and their low limbs (f64), 56 categories (eight words).
 */
export const RESULT_BYTES = 88;
