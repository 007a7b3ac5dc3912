// `tabgrad workers`: who lends a machine, and sending away who should not.

import {
  bansAnswer,
  drainedAnswer,
  liftedAnswer,
  removalAnswer,
  workersAnswer,
} from '../../../shared/api/workerAnswers.ts';
import { askForJson, type CoordinatorAddress } from '../../cluster/remote/askCoordinator.ts';
import { readAction, type ActionTerms } from '../actionWords.ts';
import { BadArgumentError } from '../cliErrors.ts';
import { defineCommand, type CliContext } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { textTable } from '../textTable.ts';
import { workerRow } from '../listedRows.ts';

const options = {
  ...adminOptions,
  ban: {
    type: 'flag',
    help: 'With remove: for good. The same tab or process can not come back; its volunteer can, by the join link.',
  },
  'ban-address': {
    type: 'flag',
    help: 'With remove: also ban the address that it comes from, and remove all workers of it.',
  },
  reason: {
    type: 'text',
    placeholder: 'TEXT',
    help: 'With remove and ban: why. The worker is told.',
  },
} as const;

interface Values {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly ban: boolean;
  readonly 'ban-address': boolean;
  readonly reason: string | undefined;
}

type Action = (address: CoordinatorAddress, id: string, values: Values, context: CliContext) => Promise<void>;

interface Terms extends ActionTerms<'ban' | 'ban-address' | 'reason'> {
  readonly run: Action;
}

const actions: Readonly<Record<string, Terms>> = {
  list: { takesId: false, run: list },
  drain: { takesId: true, run: drain('drain') },
  undrain: { takesId: true, run: drain('undrain') },
  remove: { takesId: true, takes: ['ban', 'ban-address', 'reason'], run: remove },
  ban: { takesId: true, takes: ['reason'], run: ban },
  bans: { takesId: false, run: bans },
  unban: { takesId: true, run: unban },
  pardon: { takesId: true, run: unban },
};

export const workers = defineCommand({
  name: 'workers',
  summary: 'List the workers of a coordinator, send them away, and ban them.',
  positionals: [
    {
      name: 'ACTION',
      help: 'list (also without it), drain ID, undrain ID, remove ID, ban ADDRESS, bans, unban ID or ADDRESS, or pardon ID, which is the same of a worker that is banned for a lie.',
      optional: true,
    },
    { name: 'ID', help: 'Id of a worker, or an IP address.', optional: true },
  ],
  options,
  examples: [
    { command: 'tabgrad workers', meaning: 'Who is there, with addresses.' },
    {
      command: 'tabgrad workers drain w-3f9a2c11d0e4',
      meaning:
        'Give it no more work: its run goes on without it after the round in flight, and it stays in the pool.',
    },
    {
      command: 'tabgrad workers remove w-3f9a2c11d0e4',
      meaning: 'Send it away; its run goes on with the others. Its volunteer may join again.',
    },
    {
      command: 'tabgrad workers remove w-3f9a2c11d0e4 --ban-address --reason "wrong sums"',
      meaning: 'Send it and all of its address away for good.',
    },
    { command: 'tabgrad workers bans', meaning: 'Who may not come back, since when and why.' },
    { command: 'tabgrad workers unban 192.0.2.7', meaning: 'Let them in again.' },
    {
      command: 'tabgrad workers pardon w-3f9a2c11d0e4',
      meaning: 'Let one in again that was banned for a lie: as a newcomer, whom no check has proven.',
    },
  ],
  async run(values, [action = 'list', id], context) {
    const chosen = readAction('workers', actions, [action, id], values);
    await chosen.run(await coordinatorAddress(values, context), id ?? '', values, context);
    return exitCodes.ok;
  },
});

async function list(
  address: CoordinatorAddress,
  _id: string,
  { json, quiet }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const { workers } = await askForJson(address, 'api/v1/workers', workersAnswer);
  if (json) stdout.write(workers.map((worker) => `${JSON.stringify(worker)}\n`).join(''));
  else if (workers.length > 0)
    stdout.write(textTable(workers.map((worker) => [...workerRow(worker), worker.remoteAddress])));
  else if (!quiet) stdout.write('no workers yet\n');
}

function drain(action: 'drain' | 'undrain'): Action {
  return async (address, id, { json, quiet }, { stdout }) => {
    const path = `api/v1/workers/${encodeURIComponent(id)}/${action}`;
    const answer = await askForJson(address, path, drainedAnswer, { method: 'POST', json: {} });
    if (json) stdout.write(`${JSON.stringify(answer)}\n`);
    else if (!quiet)
      stdout.write(
        answer.drained
          ? `${id} gets no more work\n`
          : `${id} gets work again, where its volunteer lends it\n`,
      );
  };
}

async function remove(
  address: CoordinatorAddress,
  id: string,
  values: Values,
  context: CliContext,
): Promise<void> {
  const ban = values['ban-address'] ? 'address' : values.ban ? 'worker' : undefined;
  const path = `api/v1/workers/${encodeURIComponent(id)}/remove`;
  const json = { reason: values.reason, ban };
  tellRemoval(await askForJson(address, path, removalAnswer, { method: 'POST', json }), values, context);
}

async function ban(
  address: CoordinatorAddress,
  id: string,
  values: Values,
  context: CliContext,
): Promise<void> {
  const json = { reason: values.reason, address: id };
  tellRemoval(
    await askForJson(address, 'api/v1/bans', removalAnswer, { method: 'POST', json }),
    values,
    context,
  );
}

function tellRemoval(
  removal: ReturnType<typeof removalAnswer.parse>,
  { json, quiet }: Values,
  { stdout }: CliContext,
): void {
  if (json) stdout.write(`${JSON.stringify(removal)}\n`);
  else if (!quiet) {
    const lines = [
      ...removal.removed.map((workerId) => `removed ${workerId}\n`),
      ...removal.bans.map(({ kind, value }) => `banned ${kind} ${value}\n`),
    ];
    stdout.write(lines.join(''));
  }
}

async function bans(
  address: CoordinatorAddress,
  _id: string,
  { json, quiet }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const { bans } = await askForJson(address, 'api/v1/bans', bansAnswer);
  if (json) stdout.write(bans.map((ban) => `${JSON.stringify(ban)}\n`).join(''));
  else if (bans.length > 0) {
    const rows = bans.map(({ kind, value, reason, bannedAtMs }) => [
      kind,
      value,
      new Date(bannedAtMs).toISOString().slice(0, 19).replace('T', ' '),
      reason,
    ]);
    stdout.write(textTable(rows));
  } else if (!quiet) stdout.write('no bans\n');
}

async function unban(
  address: CoordinatorAddress,
  id: string,
  { json, quiet }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const { lifted, pardoned = [] } = await askForJson(address, 'api/v1/bans/lift', liftedAnswer, {
    method: 'POST',
    json: { value: id },
  });
  if (lifted.length + pardoned.length === 0)
    throw new BadArgumentError(`There is no ban of "${id}"; "tabgrad workers bans" lists them.`);
  if (json) stdout.write(`${JSON.stringify({ lifted, pardoned })}\n`);
  else if (!quiet) {
    const lines = [
      ...lifted.map(({ kind, value }) => `lifted the ban of ${kind} ${value}\n`),
      ...pardoned.map(({ evidence }) => `pardoned: ${evidence.what}\n`),
    ];
    stdout.write(lines.join(''));
  }
}
