// What a command is: everything that parsing, help and docs need to know about it, and the function that runs it.

import type { TextOutput } from '../log/textOutput.ts';
import type { ExitCode } from './exitCodes.ts';
import type { OptionSpecs, OptionValues } from './options.ts';

export interface CliContext {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Fires when the user interrupts; the command then ends what it started and returns. */
  readonly signal: AbortSignal;
  /** Milliseconds since an arbitrary start. */
  readonly now: () => number;
}

interface CommandExample {
  readonly command: string;
  readonly meaning: string;
}

export interface CommandSpec<O extends OptionSpecs> {
  readonly name: string;
  readonly summary: string;
  /** What the words without dashes are, in order; optional ones come last. */
  readonly positionals: readonly { readonly name: string; readonly help: string; readonly optional?: true }[];
  readonly options: O;
  readonly examples: readonly CommandExample[];
  run(
    values: OptionValues<O> & CommonValues,
    positionals: readonly string[],
    context: CliContext,
  ): Promise<ExitCode>;
}

/** Options that every command has. */
export const commonOptions = {
  json: { type: 'flag', help: 'Print JSON, one value a line, for scripts.' },
  quiet: { type: 'flag', help: 'Print no progress and no notices, only what was asked for and errors.' },
  verbose: {
    type: 'flag',
    help: 'Print causes and stack traces with errors; a coordinator or server logs who comes and goes, too.',
  },
  help: { type: 'flag', help: 'Print this help.' },
} as const satisfies OptionSpecs;

export type CommonValues = OptionValues<typeof commonOptions>;

/** A command whose option types have been closed over, so that commands of all kinds fit one registry. */
export interface Command extends Omit<CommandSpec<OptionSpecs>, 'run'> {
  run(values: unknown, positionals: readonly string[], context: CliContext): Promise<ExitCode>;
}

/** Keeps the link between a command's options and the values its `run` gets. */
export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): Command {
  return {
    ...spec,
    run: (values, positionals, context) =>
      spec.run(values as OptionValues<O> & CommonValues, positionals, context),
  };
}
