// Mistakes on the command line and failures of its output.

import { TabgradError } from '../../kernels/errors.ts';
import { nearestWord } from '../../shared/text/nearestWord.ts';

/** `Did you mean "x"? ` or nothing, ready to be put into a message. */
export function didYouMean(word: string, candidates: readonly string[], prefix = ''): string {
  const nearest = nearestWord(word, candidates) ?? beginningWith(word, candidates);
  return nearest === undefined ? '' : ` Did you mean "${prefix}${nearest}"?`;
}

/** "stat" is far from "status" by edit distance, and plainly meant. */
function beginningWith(word: string, candidates: readonly string[]): string | undefined {
  return word.length < 2
    ? undefined
    : candidates.find((candidate) => candidate.startsWith(word.toLowerCase()));
}

export class UnknownCommandError extends TabgradError {
  readonly code = 'UNKNOWN_COMMAND';

  constructor(word: string, commands: readonly string[]) {
    super(
      `There is no command "${word}".${didYouMean(word, commands)} The commands are ${commands.join(', ')}.`,
    );
  }
}

export class UnknownOptionError extends TabgradError {
  readonly code = 'UNKNOWN_OPTION';

  constructor(flag: string, command: string, known: readonly string[]) {
    const hint = didYouMean(flag.replace(/^-+/, ''), known, '--');
    super(`"${command}" has no option ${flag}.${hint} See "${command} --help".`);
  }
}

/** A flag or positional that is there but wrong, or missing. */
export class BadArgumentError extends TabgradError {
  readonly code = 'BAD_ARGUMENT';
}

/** What the command prints has nowhere to go, e.g. to a file on a full disk. */
export class OutputError extends TabgradError {
  readonly code = 'OUTPUT_FAILED';
}
