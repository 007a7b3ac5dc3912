import { describe, expect, test } from 'vitest';
import { parseWorkerArguments } from '../../../client/runtime/workerArguments.ts';

const parse = (args: string[], env: Record<string, string> = {}) =>
  parseWorkerArguments(args, (name) => env[name], '/cache');

describe('the arguments of a worker process', () => {
  test('are flags, with values after a space or an equals sign', () => {
    expect(
      parse(['--url', 'http://a:7070/', '--device=cpu', '--name', 'n', '--cache', 'none', '--token=t']),
    ).toEqual({
      url: 'http://a:7070',
      device: 'cpu',
      name: 'n',
      token: 't',
      allowCode: false,
      cacheFolder: undefined,
      launched: false,
    });
  });

  test('come from the environment where no flag is given', () => {
    const env = {
      TABGRAD_URL: 'https://a',
      TABGRAD_TOKEN: 'e',
      TABGRAD_DEVICE: 'webgpu',
      TABGRAD_CODE: 'allow',
    };
    expect(parse(['--token', 'f', '--launched', 'yes'], env)).toEqual({
      url: 'https://a',
      device: 'webgpu',
      name: undefined,
      token: 'f',
      allowCode: true,
      cacheFolder: '/cache',
      launched: true,
    });
  });

  test.each([
    [['--url'], '--url needs a value.'],
    [['--url', 'nowhere'], '--url nowhere: expected the address of a coordinator'],
    [['--url', 'ftp://a'], '--url ftp://a: expected the address of a coordinator'],
    [[], '--url is missing: expected the address of a coordinator'],
    [['--gpu', '1'], 'Unknown argument --gpu; a worker knows --url, --token, --device'],
    [['stray'], 'Unknown argument stray'],
    [['--url', 'http://a', '--device', 'tpu'], '--device tpu: expected one of auto, webgpu, cpu.'],
    [['--url', 'http://a', '--launched', '1'], '--launched 1: expected yes or no.'],
    [['--url', 'http://a', '--code', 'yes'], '--code yes: expected allow or deny.'],
    [['--url', 'http://a', '--name', 'x'.repeat(65)], '--name has 65 characters, expected 1 to 64.'],
  ])('%j is refused in words', (args, message) => {
    expect(() => parse(args)).toThrow(message);
  });
});
