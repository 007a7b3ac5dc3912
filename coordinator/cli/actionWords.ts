// ACTION and ID of the commands that know several actions.

import { BadArgumentError, didYouMean } from './cliErrors.ts';

export interface ActionTerms<Option extends string> {
  /** Whether it is about somebody or something. */
  readonly takesId: boolean;
  /** Which of the command's own options go together with it; without it none. */
  readonly takes?: readonly Option[];
}

/**
 * @param actions by their words; the command's help names them in the same order.
 * @param values of the command's options; those that are neither undefined nor false were given.
 * @throws BadArgumentError for a word that is no action, an ID too few or too many, and options of other actions.
 */
export function readAction<Option extends string, Terms extends ActionTerms<Option>>(
  command: string,
  actions: Readonly<Record<string, Terms>>,
  [action, id]: readonly [string, string | undefined],
  values: Readonly<Record<Option, unknown>>,
): Terms {
  const terms = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!terms) {
    const known = Object.keys(actions);
    throw new BadArgumentError(
      `ACTION must be one of ${known.join(', ')}, but got "${action}".${didYouMean(action, known)}`,
    );
  }
  if (terms.takesId && id === undefined)
    throw new BadArgumentError(`"tabgrad ${command} ${action}" needs an ID after it.`);
  if (!terms.takesId && id !== undefined) throw new BadArgumentError(`Nothing is expected at "${id}".`);
  const all = Object.values(actions).flatMap(({ takes = [] }) => takes);
  const unused = all.find(
    (name) => values[name] !== undefined && values[name] !== false && !terms.takes?.includes(name),
  );
  if (unused !== undefined) throw new BadArgumentError(`--${unused} does not go together with ${action}.`);
  return terms;
}
