// Numbers of the kernels of nets, as jobs name them. Both sides read this file.

export const GATHER_PRODUCT = 0;
export const WEIGHT_PRODUCT = 1;

/** What a product's sums are added to. */
export const START_ZERO = 0;
export const START_BIAS = 1;
export const START_BEFORE = 2;

/** Terms of a product that are summed up before they are added to what was summed before. */
export const TERMS_TOGETHER = 256;
/** Memory that every thread has to itself. */
export const THREAD_BYTES = 262144;
/** Rows of a product that a task does together: positions, or rows of the kernel. */
export const ROWS_TOGETHER = 64;
/** Columns of a product that a task does together. */
export const COLUMNS_TOGETHER = 128;
