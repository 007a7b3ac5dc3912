// Shapes of ops over images.

/** A size or distance in two dimensions. */
export interface Pair2d {
  readonly height: number;
  readonly width: number;
}

export interface PoolShape {
  readonly input: Pair2d;
  readonly output: Pair2d;
  readonly channels: number;
  readonly window: Pair2d;
  readonly strides: Pair2d;
  readonly padTop: number;
  readonly padLeft: number;
}

export interface ShiftShape {
  readonly input: Pair2d;
  readonly output: Pair2d;
  readonly channels: number;
  /** Output pixel (y, x) is input pixel (y − down, x − right). May be negative. */
  readonly down: number;
  readonly right: number;
}
