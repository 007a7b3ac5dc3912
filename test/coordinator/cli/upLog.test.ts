// What a coordinator that is up writes about what happens to it.

import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../../shared/protocol/control.ts';
import { startTabgrad, type Running } from './runTabgrad.ts';

const JOIN = 'marked-join-token-of-the-owner';
const ADMIN = 'marked-admin-token-of-the-owner';
const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';
const GUESSES = 40;

let running: Running | undefined;
afterEach(async () => {
  running?.signal('SIGKILL');
  await running?.ended;
  running = undefined;
});

/** Starts a coordinator, has it guessed at, joined and sent nonsense, ends it, and returns its stderr by lines. */
async function live(...words: string[]): Promise<string[]> {
  running = startTabgrad(['up', '--port', '0', ...words], {
    env: { TABGRAD_TOKEN: JOIN, TABGRAD_ADMIN_TOKEN: ADMIN },
  });
  const announced = await running.printed('\n');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(announced)![0];
  const attempts: string[] = [];
  for (let nth = 0; nth < GUESSES; nth++) attempts.push(await join(url, `marked-guess-${nth}`));
  expect(attempts.at(-1)).toMatch(/^closed 1013/);
  expect(await join(url, JOIN, 'this is no message')).toBe('welcome');
  running.signal('SIGTERM');
  const { code, stdout, stderr } = await running.ended;
  expect(code).toBe(143);
  expect(stdout + stderr).not.toContain('marked-');
  return stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Ending in order'));
}

/** @param more is sent when it has joined; the coordinator has read it when it has answered the ping behind it. */
async function join(url: string, token: string, more?: string): Promise<string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/control`);
  await once(socket, 'open');
  const outcome = Promise.race([
    once(socket, 'message').then(([data]) => (JSON.parse(String(data)) as { type: string }).type),
    once(socket, 'close').then(([code, reason]) => `closed ${String(code)} ${String(reason)}`),
  ]);
  const device = { kind: 'cpu', name: 'JavaScript' };
  const hello = { type: 'hello', protocol: PROTOCOL_VERSION, runtime: 'node', device, cores: 1, token };
  socket.send(JSON.stringify(hello));
  const told = await outcome;
  if (more !== undefined) {
    socket.send(more);
    const answered = once(socket, 'pong');
    socket.ping();
    await answered;
  }
  socket.terminate();
  return told;
}

describe('`tabgrad up`', () => {
  it('writes refusals and malformed messages to stderr, those that are many by their number', async () => {
    const lines = await live();
    const warning = (text: string): RegExp => new RegExp(`^${TIME} warning: ${text}`);
    for (let nth = 0; nth < 3; nth++)
      expect(lines[nth]).toMatch(
        warning('Refused a worker at 127\\.0\\.0\\.1: The join token is missing or wrong'),
      );
    expect(lines[3]).toMatch(
      warning('Worker w-\\w+ sent a malformed message: A control message must be JSON'),
    );
    expect(lines[4]).toMatch(
      warning(`${GUESSES - 3} more like this from 127\\.0\\.0\\.1 in \\d+ s: Refused a worker`),
    );
    expect(lines).toHaveLength(5);
  });

  it('writes who joins and leaves, too, where that is asked for', async () => {
    const lines = await live('--verbose');
    expect(
      lines.filter((line) => / info: Worker /.test(line)).map((line) => line.replace(/^\S+ /, '')),
    ).toEqual([
      expect.stringMatching(/^info: Worker w-\w+ joined from 127\.0\.0\.1 \(node, cpu\)$/),
      expect.stringMatching(
        /^info: Worker w-\w+ lost its socket \(code 1006\); keeping its place for 20000 ms$/,
      ),
    ]);
  });

  it('writes all of it as JSON on stderr with --json', async () => {
    const entries = (await live('--json')).map((line) => JSON.parse(line) as Record<string, string>);
    expect(new Set(entries.map(({ type }) => type))).toEqual(new Set(['log']));
    for (const { time } of entries) expect(time).toMatch(new RegExp(`^${TIME}$`));
    const joined = entries.find(({ message }) => message?.includes(' joined from '));
    expect(joined).toMatchObject({ level: 'info', workerId: expect.stringMatching(/^w-/) as string });
    expect(entries.filter(({ level }) => level === 'warn')).toHaveLength(5);
  });
});
