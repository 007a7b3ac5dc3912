// Which tokens `tabgrad up` shows, and to whom.

import { describe, expect, it } from 'vitest';
import { announceUp, type Announcement } from '../../../coordinator/cli/announceUp.ts';

const URL_7070 = 'http://127.0.0.1:7070';

interface Case {
  readonly isTTY: boolean;
  readonly isJoinNew?: boolean;
  readonly isShared?: boolean;
  readonly tokenFile?: string | undefined;
}

function announce(one: Case, json: boolean): string {
  const { isTTY, isJoinNew = true, isShared = false } = one;
  let text = '';
  const coordinator = {
    url: URL_7070,
    joinUrl: `${URL_7070}/join#token=JOIN`,
    authority: undefined,
    tokens: { admin: 'ADMIN', join: 'JOIN', isJoinNew } as Announcement['coordinator']['tokens'],
  };
  const tokenFile = 'tokenFile' in one ? one.tokenFile : '/state/file.json';
  announceUp({ coordinator, tokenFile, isShared, json }, { isTTY, write: (written) => (text += written) });
  return text;
}

describe('tabgrad up', () => {
  it.each<[string, Case, string[]]>([
    ['a terminal, of this machine alone', { isTTY: true }, ['JOIN']],
    ['a terminal, with others', { isTTY: true, isShared: true }, ['JOIN', 'ADMIN']],
    ['a terminal, where no file could be written', { isTTY: true, tokenFile: undefined }, ['JOIN', 'ADMIN']],
    ['a terminal, tokens that were given', { isTTY: true, isJoinNew: false }, ['JOIN']],
    ['a pipe, a join token that was made now', { isTTY: false }, ['JOIN']],
    ['a pipe, one that was made before, or given', { isTTY: false, isJoinNew: false }, []],
    ['a pipe, with others', { isTTY: false, isShared: true }, ['JOIN']],
    ['a pipe, without a file', { isTTY: false, tokenFile: undefined }, ['JOIN']],
  ])('shows %s', (_, one, shown) => {
    const text = announce(one, false);
    expect([...new Set(text.match(/JOIN|ADMIN/g))]).toEqual(shown);
    expect(text.includes('/state/file.json')).toBe(!('tokenFile' in one));
  });

  it('shows a script the same, and the file', () => {
    expect(JSON.parse(announce({ isTTY: false, isJoinNew: false }, true))).toEqual({
      type: 'up',
      url: URL_7070,
      joinUrl: `${URL_7070}/join`,
      tokenFile: '/state/file.json',
    });
    expect(JSON.parse(announce({ isTTY: true }, true))).toMatchObject({
      joinUrl: `${URL_7070}/join#token=JOIN`,
      adminToken: 'ADMIN',
    });
  });
});
