import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { commands } from '../../../coordinator/cli/commands/commands.ts';
import { runHere } from './runHere.ts';
import { runTabgrad } from './runTabgrad.ts';

describe('help', () => {
  it('lists every command and the exit codes', async () => {
    const { code, stdout, stderr } = await runTabgrad(['--help']);
    expect([code, stderr]).toEqual([0, '']);
    for (const { name, summary } of commands) {
      expect(stdout).toContain(`  ${name}`);
      expect(stdout).toContain(summary);
    }
    for (const exitCode of ['0', '1', '2', '130', '143'])
      expect(stdout).toMatch(new RegExp(`^  ${exitCode} `, 'm'));
  });

  it.each(commands.map(({ name }) => name))('of %s has its options and an example', async (name) => {
    const { code, stdout } = await runHere([name, '--help']);
    expect(code).toBe(0);
    const command = commands.find((candidate) => candidate.name === name)!;
    expect(stdout).toContain(`Usage: tabgrad ${name}`);
    for (const option of [...Object.keys(command.options), 'json', 'quiet', 'verbose'])
      expect(stdout).toContain(`--${option}`);
    expect(command.examples.length).toBeGreaterThan(0);
    for (const example of command.examples) expect(stdout).toContain(example.command);
  });

  it('goes to stderr with exit code 2 where no command is given', async () => {
    const { code, stdout, stderr } = await runTabgrad([]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain('Usage: tabgrad COMMAND');
  });

  it('has the version of the package', async () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
    ) as Record<string, string>;
    expect((await runTabgrad(['--version'])).stdout).toBe(`${manifest['version']}\n`);
  });
});

describe('a mistake on the command line', () => {
  it.each([
    [['trian', 'x.json'], 'UNKNOWN_COMMAND', 'Did you mean "train"?'],
    [['help', 'stauts'], 'UNKNOWN_COMMAND', 'Did you mean "status"?'],
    [['up', '--prot', '1'], 'UNKNOWN_OPTION', 'no option --prot. Did you mean "--port"?'],
    [['up', '-p'], 'UNKNOWN_OPTION', 'no option -p'],
    [
      ['up', '--port', '70700'],
      'BAD_ARGUMENT',
      '--port expects a whole number from 0 to 65535, but got "70700"',
    ],
    [['up', '--port', '1e3'], 'BAD_ARGUMENT', 'but got "1e3"'],
    [
      ['up', '--port'],
      'BAD_ARGUMENT',
      '--port expects a whole number from 0 to 65535, but no value follows it',
    ],
    [['up', '--host', '--quiet'], 'BAD_ARGUMENT', '--host expects a value (HOST), but no value follows it'],
    [
      ['up', '--runtime', 'dneo'],
      'BAD_ARGUMENT',
      'expects node, deno or browser, but got "dneo". Did you mean "deno"?',
    ],
    [['up', '--quiet=yes'], 'BAD_ARGUMENT', '--quiet is a switch and takes no value'],
    [['up', 'now'], 'BAD_ARGUMENT', 'Nothing is expected at "now"'],
    [['worker'], 'BAD_ARGUMENT', '"tabgrad worker" needs --url URL'],
    [
      ['worker', '--url', 'localhost:7070'],
      'BAD_ARGUMENT',
      '--url expects an address like http://127.0.0.1:7070',
    ],
    [['train'], 'BAD_ARGUMENT', 'CONFIG is missing'],
    [['predict', '--data', 'x.csv'], 'BAD_ARGUMENT', 'needs --checkpoint DIR'],
    [['stop'], 'BAD_ARGUMENT', 'RUN is missing'],
  ])('%j is told in one line with exit code 2', async (words, code, message) => {
    const ended = await runHere(words);
    expect(ended.code).toBe(2);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toMatch(new RegExp(`^error ${code}: .*\n$`));
    expect(ended.stderr).toContain(message);
  });

  it('is told as JSON where JSON is asked for', async () => {
    const { code, stderr } = await runTabgrad(['up', '--prot', '1', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ type: 'error', code: 'UNKNOWN_OPTION', place: {} });
  });

  it('is told with its stack where more is asked for', async () => {
    const { stderr } = await runHere(['trian', '--verbose']);
    expect(stderr).toContain('UnknownCommandError');
    expect(stderr).toMatch(/\n {4}at /);
  });

  it('in an environment variable names the variable', async () => {
    const { code, stderr } = await runHere(['status'], { env: { TABGRAD_URL: 'nonsense' } });
    expect(code).toBe(2);
    expect(stderr).toContain('environment variable TABGRAD_URL expects an address');
  });
});
