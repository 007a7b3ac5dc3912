// `tabgrad token`: shows or changes the tokens of a coordinator.

import { statusAnswer } from '../../../shared/api/statusAnswer.ts';
import { rotatedAnswer } from '../../../shared/api/workerAnswers.ts';
import { askForJson } from '../../cluster/remote/askCoordinator.ts';
import { BadArgumentError, didYouMean } from '../cliErrors.ts';
import { defineCommand } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';

const actions = ['rotate', 'show'];
const kinds = ['admin', 'join'];

export const token = defineCommand({
  name: 'token',
  summary: 'Change the join token or the admin token of a coordinator, or show it.',
  positionals: [
    {
      name: 'ACTION',
      help: 'rotate: put a new one in force, at once and for good. show: print the one in force.',
    },
    { name: 'KIND', help: 'join: for workers. admin: for owners.' },
  ],
  options: {
    ...adminOptions,
    disconnect: {
      type: 'flag',
      help: 'With rotate join: send away at once who joined by the old token. Without it they work on until their socket is lost.',
    },
  },
  examples: [
    {
      command: 'tabgrad token rotate join',
      meaning: 'A new join link; those who know the old one alone can not come back.',
    },
    {
      command: 'tabgrad token rotate join --disconnect',
      meaning: 'Send everybody away, and let in who has the new link. Local workers of "tabgrad up" stay.',
    },
    {
      command: 'tabgrad token rotate admin',
      meaning: 'A new admin token: the old one is refused from now on.',
    },
    {
      command: 'tabgrad token show admin',
      meaning: 'Print the admin token of your coordinator on this machine, for another machine.',
    },
  ],
  async run(values, [action = '', kind = ''], context) {
    const { json, disconnect } = values;
    checkWord(action, 'ACTION', actions);
    checkWord(kind, 'KIND', kinds);
    if (disconnect && !(action === 'rotate' && kind === 'join'))
      throw new BadArgumentError('--disconnect goes together with rotate join.');
    const address = await coordinatorAddress(values, context);
    const print = (token: string, facts: object, notes: readonly string[]): void =>
      void context.stdout.write(
        json ? `${JSON.stringify({ kind, token, ...facts })}\n` : [token, ...notes, ''].join('\n'),
      );
    if (action === 'show') {
      // Asked in any case: a token that is not in force is not shown as if it were.
      const { joinUrl } = await askForJson(address, 'api/v1/status', statusAnswer);
      if (kind === 'join') print(tokenIn(joinUrl), { joinUrl }, []);
      else print(address.token ?? '', {}, []);
      return exitCodes.ok;
    }
    const rotated = await askForJson(address, `api/v1/tokens/${kind}`, rotatedAnswer, {
      method: 'POST',
      json: { ...(disconnect && { disconnect }) },
    });
    const { joinUrl, removed } = rotated;
    print(rotated.token, { joinUrl, removed }, [
      ...(joinUrl === undefined ? [] : [`to lend a tab open ${joinUrl}`]),
      ...(disconnect ? [`sent away: ${removed.length}`] : []),
    ]);
    return exitCodes.ok;
  },
});

function checkWord(word: string, name: string, known: readonly string[]): void {
  if (known.includes(word)) return;
  throw new BadArgumentError(
    `${name} must be ${known.join(' or ')}, but got "${word}".${didYouMean(word, known)}`,
  );
}

function tokenIn(joinUrl: string): string {
  return new URLSearchParams(new URL(joinUrl).hash.slice(1)).get('token') ?? '';
}
