/** Most bytes of a blob, unless a coordinator is told otherwise. */
export const MAX_BLOB_BYTES = 1024 ** 3;
