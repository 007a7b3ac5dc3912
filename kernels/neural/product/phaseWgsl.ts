// What differs between the phases of a gather, for WGSL: literals where there is one phase, so that compilers see
// constants, and fields of a struct chosen by the phase's number where there are several.

import type { Gather } from './convolutionGeometry.ts';
import { tapsOf } from './convolutionGeometry.ts';

export interface PhaseWgsl {
  readonly declarations: string;
  /** Makes `phase` from the expression `index`; empty for one phase. */
  readonly select: (index: string) => string;
  readonly field: (name: PhaseField) => string;
}

type PhaseField =
  | 'gridRows'
  | 'gridColumns'
  | 'originY'
  | 'originX'
  | 'tapColumns'
  /** Inner dimension of the product. */
  | 'inner'
  /** Row of the weights at which the phase's begin. */
  | 'firstWeight'
  | 'resultY'
  | 'resultX';

/** Whether the field can be negative. */
const isSigned: Readonly<Record<PhaseField, boolean>> = {
  gridRows: false,
  gridColumns: false,
  originY: true,
  originX: true,
  tapColumns: false,
  inner: false,
  firstWeight: false,
  resultY: false,
  resultX: false,
};
const fields = Object.keys(isSigned) as PhaseField[];

export function phaseWgsl(gathers: readonly Gather[], channels: number): PhaseWgsl {
  let firstWeight = 0;
  const phases = gathers.map((gather): Readonly<Record<PhaseField, string>> => {
    const { vertical, horizontal } = gather;
    const inner = tapsOf(gather) * channels;
    const first = firstWeight;
    firstWeight += inner;
    return {
      gridRows: `${vertical.grid}u`,
      gridColumns: `${horizontal.grid}u`,
      originY: `${vertical.origin}`,
      originX: `${horizontal.origin}`,
      // Not 0, by which a phase without taps would divide.
      tapColumns: `${Math.max(1, horizontal.taps)}u`,
      inner: `${inner}u`,
      firstWeight: `${first}u`,
      resultY: `${vertical.targetOrigin}u`,
      resultX: `${horizontal.targetOrigin}u`,
    };
  });
  const [only, ...others] = phases;
  if (only !== undefined && others.length === 0) {
    return { declarations: '', select: () => '', field: (name) => only[name] };
  }
  const cases = phases.map((phase, i) => {
    const label = i === phases.length - 1 ? 'default' : `case ${i}u`;
    return `    ${label}: { return Phase(${fields.map((name) => phase[name]).join(', ')}); }`;
  });
  return {
    declarations: `
struct Phase { ${fields.map((name) => `${name}: ${isSigned[name] ? 'i32' : 'u32'}`).join(', ')} }
fn phaseOf(index: u32) -> Phase {
  switch index {
${cases.join('\n')}
  }
}`,
    select: (index) => `let phase = phaseOf(${index});`,
    field: (name) => `phase.${name}`,
  };
}
