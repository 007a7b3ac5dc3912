// Numbers of the kernels of nets and sizes of their tasks, as both sides read them.

export const GATHER_PRODUCT = 0;
export const WEIGHT_PRODUCT = 1;
export const ELEMENTWISE = 2;
export const UPDATE = 3;
export const COLUMN_SUMS = 4;
export const BLOCK_MOMENTS = 5;
export const BATCH_NORM = 6;
export const BATCH_NORM_GRADIENT = 7;
export const MAX_POOL = 8;
export const AVERAGE_POOL = 9;
export const POOL_GRADIENT = 10;
export const SHIFT_IMAGE = 11;
export const SOFTMAX = 12;
export const SOFTMAX_GRADIENT = 13;
export const LAYER_NORM = 14;
export const LAYER_NORM_GRADIENT = 15;
export const DEPTHWISE = 16;
export const DEPTHWISE_INPUT_GRADIENT = 17;
export const DEPTHWISE_PARTS = 18;
export const DROPOUT = 19;
export const COLUMNWISE = 20;
export const COPY_SLICE = 21;
export const PERMUTE = 22;
export const EMBEDDING = 23;
export const EMBEDDING_GRADIENT = 24;
export const GRADIENT_SQUARES = 25;

/** What a product's sums are added to. */
export const START_ZERO = 0;
export const START_BIAS = 1;
export const START_BEFORE = 2;

/** Terms of a sum that are summed up before they are added to what was summed before. */
export const TERMS_TOGETHER = 256;
/** Memory that every thread has to itself. */
export const THREAD_BYTES = 262144;
/** Rows of a product that a task does together: positions, or rows of the kernel. */
export const ROWS_TOGETHER = 64;
/** Columns of a product that a task does together. */
export const COLUMNS_TOGETHER = 128;
/** Floats that a task does where each stands for itself. */
export const FLOATS_TOGETHER = 16384;
/** The same where whole rows are done together. */
export const ROW_FLOATS_TOGETHER = 8192;

/** Formulas of single elements. */
export const RELU = 0;
export const RELU_GRADIENT = 1;
export const RELU6 = 2;
export const RELU6_GRADIENT = 3;
export const LEAKY_RELU = 4;
export const LEAKY_RELU_GRADIENT = 5;
export const SUM = 6;
export const ADD_TO = 7;
export const PRODUCT = 8;
export const MULTIPLY_BY = 9;
export const COPY = 10;
export const AFFINE = 11;
export const SCALE_BY = 12;
/** From here on one by one, in f64. */
export const ELU = 16;
export const ELU_GRADIENT = 17;
export const SELU = 18;
export const SELU_GRADIENT = 19;
export const SOFTPLUS = 20;
export const SOFTPLUS_GRADIENT = 21;
export const SOFTSIGN = 22;
export const SOFTSIGN_GRADIENT = 23;
export const HARD_SIGMOID = 24;
export const HARD_SIGMOID_GRADIENT = 25;
export const MISH = 26;
export const MISH_GRADIENT = 27;
export const SIGMOID = 28;
export const SIGMOID_GRADIENT = 29;
export const TANH = 30;
export const TANH_GRADIENT = 31;
export const SWISH = 32;
export const SWISH_GRADIENT = 33;
export const GELU = 34;
export const GELU_GRADIENT = 35;

/** Formulas of sums over rows. */
export const ROWS = 0;
export const BATCH_NORM_ROWS = 1;
export const BATCH_NORM_RELU_ROWS = 2;
export const LAYER_NORM_ROWS = 3;
export const SLOPE_ROWS = 4;

/** Formulas of single elements and the value of their column. */
export const PLUS_COLUMN = 0;
export const PRELU = 1;
export const BEFORE_TIMES_COLUMN = 2;
