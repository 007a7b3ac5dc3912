// Usage bits of the WebGPU specification. The global GPUBufferUsage exists in browsers and Deno but not everywhere in
// Node, and its values are fixed by the specification.

export const bufferUsage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyTarget: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const;

/** Mode of mapAsync for reading. */
export const MAP_MODE_READ = 0x0001;
