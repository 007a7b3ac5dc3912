/** A size or distance in two dimensions. */
export interface Pair2d {
  readonly height: number;
  readonly width: number;
}
