// What an op is: a compute kernel as data. Bindings, their order and the WGSL header are generated from this
// description (shaderSource.ts), so a kernel's file holds its shapes, its body and its CPU reference and nothing else.

export interface StorageBinding {
  readonly name: string;
  /** WGSL type, e.g. `array<u32>`, `array<atomic<u32>>`, `array<vec4<f32>>`. */
  readonly type: string;
  readonly access: 'read' | 'read_write';
}

/** Parameters of four bytes each, passed as a uniform struct of that name. */
export interface UniformBinding {
  readonly name: string;
  readonly fields: Readonly<Record<string, 'f32' | 'i32' | 'u32'>>;
}

/** The content of a storage array: words of four bytes. */
export type WordArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** Data of one run of an op: storage arrays by binding name, uniform fields by struct name. */
export interface OpInputs {
  readonly storage: Readonly<Record<string, WordArray>>;
  readonly uniforms: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

export interface Op {
  readonly name: string;
  readonly storage: readonly StorageBinding[];
  readonly uniforms: readonly UniformBinding[];
  readonly workgroupSize: number;
  /** WGSL functions and workgroup variables that the body uses. */
  readonly declarations: string;
  /**
   * Body of the entry point. In scope: `flat` (flat index of the invocation over the whole grid), `group` (workgroup
   * id) and `lane` (index in the workgroup).
   */
  readonly body: string;
  /** The same result in plain loops: changes the read_write arrays of `inputs` in place. */
  readonly reference: (inputs: OpInputs) => void;
}

/** Workgroups for `invocations` threads, folded into two dimensions of at most 65,535. */
export function groupsFor(op: Op, invocations: number): [number, number] {
  const groups = Math.ceil(invocations / op.workgroupSize);
  const height = Math.max(1, Math.ceil(groups / 65_535));
  return [Math.ceil(groups / height), height];
}
