// What one piece of work knows of a stranger: which of its answers a check speaks for. Answers are counted; a check that is
// decided on after so many of them speaks for those, once it came out right and all that were decided on before it.

/** A check that was decided on. */
export interface OpenCheck {
  /** Answers that had been given by then. */
  readonly answers: number;
  isRight: boolean;
  vouchedBy: string | undefined;
}

export class StrangerRecord {
  checksPassed: number;
  /** Answers so far. */
  answers = 0;
  /** Asked no more, and nothing of what it says counts. */
  isLiar = false;
  /** Rows that it mapped, and that were given on. */
  rowsGivenOn = 0;
  /** Oldest first. */
  readonly #checks: OpenCheck[] = [];

  constructor(checksPassed: number) {
    this.checksPassed = checksPassed;
  }

  get hasOpenChecks(): boolean {
    return this.#checks.length > 0;
  }

  begin(): OpenCheck {
    const check: OpenCheck = { answers: this.answers, isRight: false, vouchedBy: undefined };
    this.#checks.push(check);
    return check;
  }

  /** It showed nothing. */
  drop(check: OpenCheck): void {
    const at = this.#checks.indexOf(check);
    if (at >= 0) this.#checks.splice(at, 1);
  }

  /** @returns the last check that speaks for answers which none spoke for before. */
  settle(): OpenCheck | undefined {
    let last: OpenCheck | undefined;
    while (this.#checks[0]?.isRight === true) last = this.#checks.shift();
    return last;
  }
}
