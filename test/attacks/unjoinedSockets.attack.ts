// What strangers without a token can make a coordinator hold: messages that they begin and never end.

import { test } from 'vitest';
import { attackedCoordinator } from './attackedCoordinator.ts';
import { expectAtMost } from './figures.ts';
import { beginMessage, MEBIBYTE } from './rawWebSocket.ts';

const GROWTH_MIB = 100;

for (const [path, sockets, sentMiB] of [
  ['/control', 100, 15],
  ['/programs', 30, 60],
] as const) {
  test(`strangers begin long messages at ${path}: memory stays bounded`, async (context) => {
    await using coordinator = await attackedCoordinator(['--token', 'JOIN', '--admin-token', 'ADMIN']);
    const before = coordinator.residentMiB();
    const url = new URL(coordinator.url);
    const bytes = sentMiB * MEBIBYTE;
    const opened = await Promise.all(
      Array.from({ length: sockets }, () => beginMessage(url, path, bytes + 1, bytes)),
    );
    const growthMiB = coordinator.residentMiB() - before;
    for (const socket of opened) socket.destroy();
    expectAtMost(context, { what: 'memory grew by', value: growthMiB, atMost: GROWTH_MIB, unit: 'MiB' });
  });
}
