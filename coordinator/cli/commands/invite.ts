// `tabgrad invite`: join links for so many workers, until some time.

import {
  invitationAnswer,
  invitationsAnswer,
  revokedAnswer,
  type InvitationSummary,
} from '../../../shared/api/invitationAnswers.ts';
import { askForJson, type CoordinatorAddress } from '../../cluster/remote/askCoordinator.ts';
import { readAction, type ActionTerms } from '../actionWords.ts';
import { BadArgumentError } from '../cliErrors.ts';
import { defineCommand, type CliContext } from '../command.ts';
import { adminOptions, coordinatorAddress } from '../connectionOptions.ts';
import { exitCodes } from '../exitCodes.ts';
import { textTable } from '../textTable.ts';

const options = {
  ...adminOptions,
  count: {
    type: 'integer',
    placeholder: 'N',
    min: 1,
    max: 100_000,
    help: 'How many workers may join by the link. A tab that is loaded anew, or comes back, is the same one. Without it 1.',
  },
  expires: {
    type: 'text',
    placeholder: 'TIME',
    help: 'After which time nobody new joins by it: 30m, 2h or 7d, a year at most. Without it a day.',
  },
  name: {
    type: 'text',
    placeholder: 'TEXT',
    help: 'What you call it.',
  },
  trusted: {
    type: 'flag',
    help: "Who joins by it is your own worker: its work is believed, as that of the coordinator's local ones is.",
  },
  disconnect: {
    type: 'flag',
    help: 'With revoke: send away at once who joined by it. Without it they work on until their socket is lost.',
  },
} as const;

interface Values {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly count: number | undefined;
  readonly expires: string | undefined;
  readonly name: string | undefined;
  readonly trusted: boolean;
  readonly disconnect: boolean;
}

type Action = (address: CoordinatorAddress, id: string, values: Values, context: CliContext) => Promise<void>;

interface Terms extends ActionTerms<'count' | 'expires' | 'name' | 'trusted' | 'disconnect'> {
  readonly run: Action;
}

const actions: Readonly<Record<string, Terms>> = {
  make: { takesId: false, takes: ['count', 'expires', 'name', 'trusted'], run: make },
  list: { takesId: false, run: list },
  revoke: { takesId: true, takes: ['disconnect'], run: revoke },
};

export const invite = defineCommand({
  name: 'invite',
  summary: 'Make join links for so many workers and so long, list them, and revoke them.',
  positionals: [
    { name: 'ACTION', help: 'make (also without it), list, or revoke ID.', optional: true },
    { name: 'ID', help: 'Id of an invitation.', optional: true },
  ],
  options,
  examples: [
    {
      command: 'tabgrad invite --count 25 --expires 2h --name "class 7b"',
      meaning: 'A link by which 25 tabs may join within two hours; they may stay for longer.',
    },
    {
      command: 'tabgrad invite --count 3 --trusted --name "lab machines"',
      meaning: 'A link for machines of your own, whose work need not be checked.',
    },
    { command: 'tabgrad invite list', meaning: 'Who was invited, how many came, and the links.' },
    {
      command: 'tabgrad invite revoke i-3f9a2c11d0e4 --disconnect',
      meaning: 'Take a link back, and send away who joined by it.',
    },
  ],
  async run(values, [action = 'make', id], context) {
    const chosen = readAction('invite', actions, [action, id], values);
    const terms = { ...values, ...(chosen.run === make && { expires: values.expires ?? '1d' }) };
    if (terms.expires !== undefined) readSpanMs(terms.expires);
    await chosen.run(await coordinatorAddress(values, context), id ?? '', terms, context);
    return exitCodes.ok;
  },
});

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** @throws BadArgumentError */
function readSpanMs(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const spanMs = Number(number) * (unitsMs[unit] ?? 0);
  if (spanMs > 0 && spanMs <= 365 * 86_400_000) return spanMs;
  throw new BadArgumentError(`--expires expects a time like 30m, 2h or 7d, up to 365d, but got "${text}".`);
}

async function make(
  address: CoordinatorAddress,
  _id: string,
  { json, quiet, count = 1, expires = '1d', name, trusted }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const request = { count, expiresInMs: readSpanMs(expires), name, isTrusted: trusted };
  const made = await askForJson(address, 'api/v1/invitations', invitationAnswer, {
    method: 'POST',
    json: request,
  });
  if (json) return void stdout.write(`${JSON.stringify(made)}\n`);
  const { invitationId, joinUrl } = made;
  const note = `invitation    ${invitationId}, for ${workerCount(made.count)} until ${timeText(made.endsAtMs)} UTC\n`;
  stdout.write(`to lend a tab open ${joinUrl}\n${quiet ? '' : note}`);
}

async function list(
  address: CoordinatorAddress,
  _id: string,
  { json, quiet }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const { invitations } = await askForJson(address, 'api/v1/invitations', invitationsAnswer);
  if (json) stdout.write(invitations.map((one) => `${JSON.stringify(one)}\n`).join(''));
  else if (invitations.length > 0) stdout.write(textTable(invitations.map(invitationRow)));
  else if (!quiet) stdout.write('no invitations\n');
}

function invitationRow(invitation: InvitationSummary): string[] {
  const { invitationId, name = '', used, count, state, isTrusted, endsAtMs, joinUrl } = invitation;
  return [
    invitationId,
    name,
    `${used} of ${workerCount(count)}`,
    state === 'open' ? `until ${timeText(endsAtMs)}` : state,
    isTrusted ? "owner's" : '',
    joinUrl,
  ];
}

async function revoke(
  address: CoordinatorAddress,
  id: string,
  { json, quiet, disconnect }: Values,
  { stdout }: CliContext,
): Promise<void> {
  const path = `api/v1/invitations/${encodeURIComponent(id)}/revoke`;
  const request = { method: 'POST', json: disconnect ? { disconnect } : {} } as const;
  const revoked = await askForJson(address, path, revokedAnswer, request);
  if (json) stdout.write(`${JSON.stringify(revoked)}\n`);
  else if (!quiet) {
    const removed = revoked.removed.map((workerId) => `removed ${workerId}\n`);
    stdout.write([`revoked ${revoked.invitationId}\n`, ...removed].join(''));
  }
}

function workerCount(count: number): string {
  return count === 1 ? '1 worker' : `${count} workers`;
}

function timeText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
}
