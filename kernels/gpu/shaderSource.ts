// Writes the WGSL of an op: declarations of its bindings in order, then its functions and entry point.

import type { Op } from './op.ts';

function uniformStruct(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}Params`;
}

/** Complete WGSL. Storage bindings come first, in the op's order, then uniforms. */
export function shaderSource(op: Op): string {
  const storage = op.storage.map(
    (binding, i) =>
      `@group(0) @binding(${i}) var<storage, ${binding.access}> ${binding.name}: ${binding.type};`,
  );
  const uniforms = op.uniforms.map((binding, i) => {
    const type = uniformStruct(binding.name);
    const fields = Object.entries(binding.fields).map(([field, fieldType]) => `  ${field}: ${fieldType},`);
    return `struct ${type} {\n${fields.join('\n')}\n}\n@group(0) @binding(${op.storage.length + i}) var<uniform> ${binding.name}: ${type};`;
  });
  return `${[...storage, ...uniforms].join('\n')}
${op.declarations}
@compute @workgroup_size(${op.workgroupSize})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let flat = (group.y * groups.x + group.x) * ${op.workgroupSize}u + lane;
${op.body}
}
`;
}

/** The bytes of a uniform struct, fields in their declared order. */
export function packUniform(
  op: Pick<Op, 'name' | 'uniforms'>,
  name: string,
  values: Readonly<Record<string, number>>,
): Int32Array<ArrayBuffer> {
  const binding = op.uniforms.find((uniform) => uniform.name === name);
  if (binding === undefined) throw new RangeError(`${op.name} has no uniform "${name}".`);
  const fields = Object.entries(binding.fields);
  // A uniform binding's size counts in steps of 16 bytes.
  const packed = new Int32Array(Math.ceil(fields.length / 4) * 4);
  const floats = new Float32Array(packed.buffer);
  fields.forEach(([field, type], i) => {
    const value = values[field];
    if (value === undefined) throw new RangeError(`${op.name}: no value for ${name}.${field}.`);
    if (type === 'f32') floats[i] = value;
    else packed[i] = value;
  });
  return packed;
}
