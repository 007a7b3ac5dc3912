// Cuts a convolution, or the gradient of its input, into products: positions of the target whose taps meet the source in the
// same way (all inner ones, say, or those of the upper edge) have patches of one length. These are gathered and multiplied
// together, and no product is computed of the zeros around an image.

import type { ConvolutionShape } from '../convolution.ts';

/** Neighbouring floats of a patch. */
interface PatchRun {
  /** From the position's first float in the source. */
  readonly offset: number;
  /** Of its first term in the weights, in floats. */
  readonly weights: number;
  readonly length: number;
}

/** Places along an axis, or what they mean in an array: where the first is, and how far apart. */
interface Steps {
  readonly start: number;
  readonly step: number;
}

/** Positions with the same taps: rows × columns of every example. In floats. */
export interface GatherClass {
  readonly rows: number;
  readonly columns: number;
  readonly source: { readonly start: number; readonly rowStep: number; readonly columnStep: number };
  readonly target: { readonly start: number; readonly rowStep: number; readonly columnStep: number };
  readonly runs: readonly PatchRun[];
  /** Terms of a sum. */
  readonly terms: number;
}

export interface GatherForm {
  readonly classes: readonly GatherClass[];
  readonly columns: number;
  /** Floats of an example. */
  readonly sourceImage: number;
  readonly targetImage: number;
  /** Of the weights, from a term to the next of its run and from a column to the next, in floats. */
  readonly weightStrides: { readonly term: number; readonly column: number };
}

/** A tap that meets the source: its number, and where from the place's first. */
interface Tap {
  readonly tap: number;
  readonly offset: number;
}

/** Along one axis. */
interface AxisClass {
  readonly count: number;
  readonly target: Steps;
  readonly source: Steps;
  readonly taps: readonly Tap[];
}

/** @param sourcesOf which taps meet the source at a place of the target, and where. */
function axisClasses(
  targets: number,
  step: number,
  sourceStep: number,
  sourcesOf: (place: number) => readonly { readonly tap: number; readonly at: number }[],
): AxisClass[] {
  const classes: { key: string; start: number; source: number; count: number; taps: Tap[] }[] = [];
  for (let place = 0; place < targets; place += 1) {
    const found = sourcesOf(place);
    const source = found.reduce((least, { at }) => Math.min(least, at), found[0]?.at ?? 0);
    const key = `${place % step} ${found.map(({ tap }) => tap).join(',')}`;
    const known = classes.findLast((each) => each.key === key);
    // Places without taps may be at both ends.
    if (known && place === known.start + known.count * step) known.count += 1;
    else {
      const taps = found.map(({ tap, at }) => ({ tap, offset: at - source }));
      classes.push({ key, start: place, source, count: 1, taps });
    }
  }
  return classes.map(({ start, source, count, taps }) => ({
    count,
    target: { start, step },
    source: { start: source, step: sourceStep },
    taps,
  }));
}

interface Axis {
  readonly input: number;
  readonly output: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly pad: number;
}

function axesOf(s: ConvolutionShape): { readonly vertical: Axis; readonly horizontal: Axis } {
  return {
    vertical: {
      input: s.inputHeight,
      output: s.outputHeight,
      taps: s.kernelHeight,
      stride: s.strideHeight,
      dilation: s.dilationHeight,
      pad: s.padTop,
    },
    horizontal: {
      input: s.inputWidth,
      output: s.outputWidth,
      taps: s.kernelWidth,
      stride: s.strideWidth,
      dilation: s.dilationWidth,
      pad: s.padLeft,
    },
  };
}

const tapNumbers = (taps: number): number[] => Array.from({ length: taps }, (_, tap) => tap);

function forwardAxis({ input, output, taps, stride, dilation, pad }: Axis): AxisClass[] {
  return axisClasses(output, 1, stride, (place) =>
    tapNumbers(taps)
      .map((tap) => ({ tap, at: place * stride - pad + tap * dilation }))
      .filter(({ at }) => at >= 0 && at < input),
  );
}

function backwardAxis({ input, output, taps, stride, dilation, pad }: Axis): AxisClass[] {
  return axisClasses(input, stride, 1, (place) =>
    tapNumbers(taps)
      .map((tap) => ({ tap, at: (place + pad - tap * dilation) / stride }))
      .filter(({ at }) => Number.isInteger(at) && at >= 0 && at < output),
  );
}

/** What lies where along an image. */
interface Image {
  readonly width: number;
  readonly channels: number;
}

function classOf(
  rows: AxisClass,
  columns: AxisClass,
  source: Image,
  target: Image,
  weightsOf: (row: number, column: number) => number,
): GatherClass {
  const runs: PatchRun[] = [];
  for (const { tap: row, offset: down } of rows.taps) {
    for (const { tap: column, offset: along } of columns.taps) {
      runs.push({
        offset: (down * source.width + along) * source.channels,
        weights: weightsOf(row, column),
        length: source.channels,
      });
    }
  }
  const placed = (y: Steps, x: Steps, { width, channels }: Image) => ({
    start: (y.start * width + x.start) * channels,
    rowStep: y.step * width * channels,
    columnStep: x.step * channels,
  });
  return {
    rows: rows.count,
    columns: columns.count,
    source: placed(rows.source, columns.source, source),
    target: placed(rows.target, columns.target, target),
    runs,
    terms: runs.length * source.channels,
  };
}

/** Runs that lie side by side in source and weights become one. */
function joined(form: GatherForm): GatherForm {
  const { term } = form.weightStrides;
  const join = (runs: readonly PatchRun[]): PatchRun[] => {
    const all: PatchRun[] = [];
    for (const run of runs) {
      const last = all.at(-1);
      const follows =
        last !== undefined &&
        last.offset + last.length === run.offset &&
        last.weights + last.length * term === run.weights;
      if (follows) all[all.length - 1] = { ...last, length: last.length + run.length };
      else all.push(run);
    }
    return all;
  };
  return { ...form, classes: form.classes.map((each) => ({ ...each, runs: join(each.runs) })) };
}

function formOf(
  rows: readonly AxisClass[],
  columns: readonly AxisClass[],
  source: Image,
  target: Image,
  weightsOf: (row: number, column: number) => number,
): readonly GatherClass[] {
  return rows.flatMap((row) => columns.map((column) => classOf(row, column, source, target, weightsOf)));
}

/** output = input ⊛ kernel. */
export function forwardForm(s: ConvolutionShape): GatherForm {
  const { vertical, horizontal } = axesOf(s);
  const tapWeights = s.inputChannels * s.filters;
  return joined({
    classes: formOf(
      forwardAxis(vertical),
      forwardAxis(horizontal),
      { width: s.inputWidth, channels: s.inputChannels },
      { width: s.outputWidth, channels: s.filters },
      (row, column) => (row * s.kernelWidth + column) * tapWeights,
    ),
    columns: s.filters,
    sourceImage: s.inputHeight * s.inputWidth * s.inputChannels,
    targetImage: s.outputHeight * s.outputWidth * s.filters,
    weightStrides: { term: s.filters, column: 1 },
  });
}

/** The gradient of the input, gathered from that of the output. */
export function inputGradientForm(s: ConvolutionShape): GatherForm {
  const { vertical, horizontal } = axesOf(s);
  const tapWeights = s.inputChannels * s.filters;
  return joined({
    classes: formOf(
      backwardAxis(vertical),
      backwardAxis(horizontal),
      { width: s.outputWidth, channels: s.filters },
      { width: s.inputWidth, channels: s.inputChannels },
      (row, column) => (row * s.kernelWidth + column) * tapWeights,
    ),
    columns: s.inputChannels,
    sourceImage: s.outputHeight * s.outputWidth * s.filters,
    targetImage: s.inputHeight * s.inputWidth * s.inputChannels,
    weightStrides: { term: 1, column: s.filters },
  });
}

/** As gatherProduct.ts of the assembly reads it. */
export function classTable({ classes }: GatherForm): Int32Array<ArrayBuffer> {
  return Int32Array.from(
    classes.flatMap(({ rows, columns, source, target, runs, terms }) => [
      rows,
      columns,
      source.start,
      source.rowStep,
      source.columnStep,
      target.start,
      target.rowStep,
      target.columnStep,
      terms,
      runs.length,
      ...runs.flatMap(({ offset, weights, length }) => [offset, weights, length]),
    ]),
  );
}
