// The whole command line as a function of its words and surroundings, so that tests need no process.

import type { CliContext, Command } from './command.ts';
import { commonOptions } from './command.ts';
import { BadArgumentError, didYouMean, UnknownCommandError } from './cliErrors.ts';
import { exitCodes, type ExitCode } from './exitCodes.ts';
import { commandText, overviewText, usageLine } from './helpText.ts';
import { parseOptions } from './options.ts';
import { visibleOutput } from '../log/textOutput.ts';
import { reportError } from './reportError.ts';

/**
 * Runs one command.
 * @param words the command line after the program's name.
 * @returns the exit code. Never rejects: failures are written to `context.stderr`.
 */
export async function runCli(
  words: readonly string[],
  commands: readonly Command[],
  version: string,
  context: CliContext,
): Promise<ExitCode> {
  // Read before parsing, so that a mistake on the command line itself is reported in the asked style.
  const style = { json: words.includes('--json'), verbose: words.includes('--verbose') };
  // Names, reasons and messages of others come along in what commands write.
  const stdout = visibleOutput(context.stdout);
  const stderr = visibleOutput(context.stderr);
  try {
    return await runWords(words, commands, version, { ...context, stdout, stderr });
  } catch (error) {
    return reportError(error, stderr, style);
  }
}

async function runWords(
  words: readonly string[],
  commands: readonly Command[],
  version: string,
  context: CliContext,
): Promise<ExitCode> {
  const [name, ...rest] = words;
  if (name === '--version') {
    context.stdout.write(`${version}\n`);
    return exitCodes.ok;
  }
  if (name === '--help' || (name === 'help' && rest.length === 0)) {
    context.stdout.write(overviewText(commands, version));
    return exitCodes.ok;
  }
  if (name === undefined) {
    context.stderr.write(overviewText(commands, version));
    return exitCodes.usage;
  }
  if (name.startsWith('-'))
    throw new BadArgumentError(
      `A command is expected, but got ${name}.${didYouMean(name.replace(/^-+/, ''), ['help', 'version'], '--')} ` +
        `Usage: tabgrad COMMAND [options]`,
    );
  const asked = name === 'help' ? (rest[0] ?? '') : name;
  const command = commands.find((candidate) => candidate.name === asked);
  if (command === undefined)
    throw new UnknownCommandError(
      asked,
      commands.map((candidate) => candidate.name),
    );
  if (name === 'help' || rest.includes('--help')) {
    context.stdout.write(commandText(command));
    return exitCodes.ok;
  }
  const parsed = parseOptions(
    `tabgrad ${command.name}`,
    { ...command.options, ...commonOptions },
    rest,
    context.env,
  );
  checkPositionals(command, parsed.positionals);
  return command.run(parsed.values, parsed.positionals, context);
}

function checkPositionals(command: Command, given: readonly string[]): void {
  const missing = command.positionals[given.length];
  if (missing !== undefined && missing.optional !== true)
    throw new BadArgumentError(`${missing.name} is missing: ${missing.help} Usage: ${usageLine(command)}`);
  const surplus = given[command.positionals.length];
  if (surplus !== undefined)
    throw new BadArgumentError(`Nothing is expected at "${surplus}". Usage: ${usageLine(command)}`);
}
