// Help pages, derived from the definitions of commands and options.

import { alignColumns } from '../../shared/text/alignColumns.ts';
import { commonOptions, type Command } from './command.ts';
import { exitCodeMeanings } from './exitCodes.ts';
import { placeholderOf, type OptionSpec, type OptionSpecs } from './options.ts';

/** The page of `tabgrad --help`. */
export function overviewText(commands: readonly Command[], version: string): string {
  return [
    `tabgrad ${version}: train XGBoost-compatible trees on a swarm of browser tabs, Deno and Node processes.`,
    '',
    'Usage: tabgrad COMMAND [options]',
    '',
    'Commands:',
    ...table(commands.map((command) => [signature(command), command.summary])),
    '',
    'Options:',
    ...table([
      ['--help', 'Print this help, or the help of the command before it.'],
      ['--version', 'Print the version.'],
    ]),
    '',
    'Exit codes:',
    ...table(exitCodeMeanings.map(([code, meaning]) => [String(code), meaning])),
    '',
    '"tabgrad COMMAND --help" has the options of a command and examples.',
    '',
  ].join('\n');
}

/** The page of `tabgrad COMMAND --help`. */
export function commandText(command: Command): string {
  const blocks = [`tabgrad ${command.name}: ${command.summary}`, '', `Usage: ${usageLine(command)}`, ''];
  if (command.positionals.length > 0)
    blocks.push(...table(command.positionals.map(({ name, help }) => [name, help])), '');
  blocks.push('Options:', ...table(optionRows({ ...command.options, ...commonOptions })), '', 'Examples:');
  for (const example of command.examples) blocks.push(`  ${example.command}`, `      ${example.meaning}`);
  return [...blocks, ''].join('\n');
}

/** `tabgrad up [options]` */
export function usageLine(command: Command): string {
  return `tabgrad ${signature(command)} [options]`;
}

/** One row an option: its flag, and what it does with its default. */
export function optionRows(options: OptionSpecs): (readonly [string, string])[] {
  return Object.entries(options).map(([name, spec]) => [
    `--${name} ${placeholderOf(spec)}`.trim(),
    `${spec.help}${remark(spec)}`,
  ]);
}

function remark(spec: OptionSpec): string {
  if (spec.type === 'flag') return '';
  if (spec.type === 'texts') return ' (may be repeated)';
  const remarks = [
    ...(spec.required === true ? ['required'] : []),
    ...(spec.default === undefined ? [] : [`default ${spec.default}`]),
    ...(spec.env === undefined ? [] : [`or ${spec.env}`]),
  ];
  return remarks.length === 0 ? '' : ` (${remarks.join('; ')})`;
}

function signature(command: Command): string {
  const words = command.positionals.map(({ name, optional }) => (optional === true ? `[${name}]` : name));
  return [command.name, ...words].join(' ');
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  return alignColumns(rows).lines.map((line) => `  ${line}`);
}
