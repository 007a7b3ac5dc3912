// The processes below one, as Linux tells of them.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface SeenProcess {
  readonly pid: number;
  readonly command: readonly string[];
  readonly uid: number;
  /** 0 without, 2 with a filter of system calls. */
  readonly seccomp: number;
  /** Its user namespace. */
  readonly userNamespace: string;
  /** The variables that it was started with. */
  readonly variables: ReadonlyMap<string, string>;
}

/** The process and all below it that can still be looked at. */
export function processTree(pid: number): readonly SeenProcess[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const stat = look(() => readFileSync(`/proc/${name}/stat`, 'utf8'));
    // The second field is a name, which may have spaces and brackets.
    const [, parent] = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const below = (one: number): number[] => [
    one,
    ...[...parents].filter(([, parent]) => parent === one).flatMap(([child]) => below(child)),
  ];
  return below(pid).flatMap((one) => look(() => seen(one)) ?? []);
}

function seen(pid: number): SeenProcess {
  const file = (name: string): string => readFileSync(`/proc/${pid}/${name}`, 'utf8');
  const status = file('status');
  const number = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
  const variables = file('environ').split('\0').filter(Boolean);
  return {
    pid,
    // Chromium writes over its processes' arguments with spaces between them.
    command: file('cmdline').split(/[\0 ]/),
    uid: number('Uid'),
    seccomp: number('Seccomp'),
    userNamespace: readlinkSync(`/proc/${pid}/ns/user`),
    variables: new Map(
      variables.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
  };
}

/** What is gone in the meantime is nothing. */
function look<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
