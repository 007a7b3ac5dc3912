import { expect, it } from 'vitest';
import { startCoordinator } from '../../../../coordinator/core/server/coordinator.ts';
import { checkCoordinatorOptions } from '../../../../coordinator/core/server/coordinatorOptions.ts';

it.each([
  [{ prt: 7070 }, 'prt', 'prt is not an option; did you mean port?'],
  [{ port: 70_000 }, 'port', 'port is 70000; expected a whole number from 0 to 65535.'],
  [{ publicUrl: 'example.org' }, 'publicUrl', 'publicUrl must be like https://example.org/swarm.'],
  [{ ice: { urls: 'stun:a' } }, 'ice.urls', 'ice.urls is "stun:a"; expected a list.'],
  [
    { ice: { urls: [], turnsecret: 's' } },
    'ice.turnsecret',
    /^ice\.turnsecret is not an option; did you mean turnSecret/,
  ],
  [
    { allowedOrigins: ['https://a.example', '*'] },
    'allowedOrigins[1]',
    'allowedOrigins[1] must be like https://example.org, without a path.',
  ],
  [{ maxUnprovenShare: 1.5 }, 'maxUnprovenShare', 'maxUnprovenShare is 1.5; expected a number from 0 to 1.'],
  [
    { maxUnprovenShare: -0.1 },
    'maxUnprovenShare',
    'maxUnprovenShare is -0.1; expected a number from 0 to 1.',
  ],
  [{ maxUnprovenShare: NaN }, 'maxUnprovenShare', /^maxUnprovenShare is .*expected a number from 0 to 1/],
  [{ maxUnprovenShare: '50%' }, 'maxUnprovenShare', /expected a number/],
  [{ log: 'file' }, 'log', 'log is "file"; expected a function.'],
])('%j is refused before the coordinator takes a port', async (options, field, message) => {
  await expect(startCoordinator(options as never)).rejects.toMatchObject({
    code: 'COORDINATOR_ARGUMENT',
    message: typeof message === 'string' ? message : (expect.stringMatching(message) as string),
    place: { field },
  });
});

it('gives the defaults of options that are left out', () => {
  expect(checkCoordinatorOptions({})).toMatchObject({ port: 7070, host: '127.0.0.1', ice: { urls: [] } });
});
