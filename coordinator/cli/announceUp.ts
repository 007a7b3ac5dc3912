// What `tabgrad up` says when it is up: where to join, and where the tokens are.

import type { Coordinator } from '../core/server/coordinator.ts';
import { shownFingerprint } from '../core/tls/fingerprint.ts';
import type { TextOutput } from '../log/textOutput.ts';

export interface Announcement {
  readonly coordinator: Pick<Coordinator, 'authority' | 'joinUrl' | 'tokens' | 'url'>;
  /** Where the tokens are for commands on this machine; undefined where they could not be written. */
  readonly tokenFile: string | undefined;
  /** Whether others than this machine reach the coordinator. */
  readonly isShared: boolean;
  readonly json: boolean;
}

/**
 * What is no terminal may be a log: tokens that the owner gave, or has seen, are not written there, and the admin token
 * never is. A join token that was made at this start is written once: without it no worker could join.
 */
export function announceUp(announcement: Announcement, stdout: TextOutput): void {
  const { coordinator, tokenFile, json } = announcement;
  const { url, tokens, authority } = coordinator;
  const isTerminal = stdout.isTTY === true;
  const showsJoin = isTerminal || tokens.isJoinNew;
  const joinUrl = showsJoin ? coordinator.joinUrl : coordinator.joinUrl.replace(/#.*$/, '');
  const adminToken = isTerminal ? tokens.admin : undefined;
  const fingerprint = authority?.fingerprint;
  if (json) {
    const line = { type: 'up', url, joinUrl, tokenFile, adminToken, authorityFingerprint: fingerprint };
    stdout.write(`${JSON.stringify(line)}\n`);
    return;
  }
  const outside = joinUrl.replace(/\/join(#.*)?$/, '');
  const trust = fingerprint === undefined ? '' : ` --ca-fingerprint ${fingerprint}`;
  const rows = [
    `coordinator   ${url} (the dashboard; it asks for the admin token)`,
    `to lend a tab open ${joinUrl}${showsJoin ? '' : ', with #token= and the join token behind it ("tabgrad status" shows the link)'}`,
    `a process     tabgrad worker --url ${outside}${trust}${announcement.isShared ? ', with the join token in TABGRAD_TOKEN' : ''}`,
    ...(fingerprint === undefined
      ? []
      : [`authority     ${shownFingerprint(fingerprint)}`, `to trust it   ${outside}/authority`]),
    ...(adminToken !== undefined && (announcement.isShared || tokenFile === undefined)
      ? [`admin token   ${adminToken}`]
      : []),
    ...(tokenFile === undefined ? [] : [`tokens        ${tokenFile}, for your commands on this machine`]),
    'Ctrl-C ends it.',
  ];
  stdout.write(`${rows.join('\n')}\n`);
}
