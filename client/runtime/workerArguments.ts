// The settings of a worker that is started as a process: flags, or environment variables of the same meaning.

import { deviceWishes } from '../../shared/protocol/runtimes.ts';
import { TabgradError } from '../../kernels/errors.ts';
import { isDeviceWish } from './deviceChoice.ts';
import { MAX_THREADS } from '../../shared/protocol/runtimes.ts';
import type { WorkerOptions } from './workerPlatform.ts';

/** A flag that is unknown, lacks its value, or has one that makes no sense. */
export class InvalidWorkerOptionError extends TabgradError {
  readonly code = 'INVALID_WORKER_OPTION';
}

export interface WorkerArguments extends WorkerOptions {
  /** Folder for blobs that are kept between runs, or undefined for none. */
  readonly cacheFolder: string | undefined;
  /** Of the processor; without it as many as the machine has cores. */
  readonly threads: number | undefined;
  /** Another process started this worker: it is told what happens, and when it is gone the worker leaves. */
  readonly launched: boolean;
}

interface Flag {
  readonly env?: string;
  readonly meaning: string;
}

const flags = {
  url: { env: 'TABGRAD_URL', meaning: 'Address of the coordinator, e.g. http://127.0.0.1:7070' },
  token: {
    env: 'TABGRAD_TOKEN',
    meaning: 'Token of the coordinator, if it asks for one; - reads a line from standard input',
  },
  device: { env: 'TABGRAD_DEVICE', meaning: `What to compute on: ${deviceWishes.join(', ')} (auto)` },
  threads: {
    env: 'TABGRAD_THREADS',
    meaning: 'Threads of the processor to compute with (as many as there are cores)',
  },
  name: { env: 'TABGRAD_NAME', meaning: 'A name for this worker, at most 64 characters' },
  code: {
    env: 'TABGRAD_CODE',
    meaning: 'Run functions that owners send, with the rights of this process: allow, deny (deny)',
  },
  cache: { env: 'TABGRAD_CACHE', meaning: 'Folder for downloaded shards, or "none"' },
  launched: { meaning: 'Report to the process that started this worker, and leave with it: yes, no (no)' },
} satisfies Record<string, Flag>;

type FlagName = keyof typeof flags;

export const workerUsage = [
  'Lends this machine to a tabgrad coordinator.',
  '',
  ...Object.entries(flags).map(([name, flag]) => {
    const env = 'env' in flag ? ` [${flag.env}]` : '';
    return `  --${name.padEnd(8)} ${flag.meaning}${env}`;
  }),
].join('\n');

/**
 * @param defaultCache folder used when none is named.
 * @throws InvalidWorkerOptionError that names the flag.
 */
export function parseWorkerArguments(
  args: readonly string[],
  env: (name: string) => string | undefined,
  defaultCache: string,
): WorkerArguments {
  const given = new Map<FlagName, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name, inline] = /^--([a-z]+)(?:=(.*))?$/s.exec(args[at] ?? '') ?? [];
    if (name === undefined || !(name in flags)) {
      throw new InvalidWorkerOptionError(
        `Unknown argument ${args[at]}; a worker knows ${Object.keys(flags)
          .map((flag) => `--${flag}`)
          .join(', ')}.`,
      );
    }
    const value = inline ?? args[++at];
    if (value === undefined) throw new InvalidWorkerOptionError(`--${name} needs a value.`, { field: name });
    given.set(name as FlagName, value);
  }
  const setting = (name: FlagName): string | undefined => {
    const flag: Flag = flags[name];
    return given.get(name) ?? (flag.env === undefined ? undefined : env(flag.env));
  };
  const device = setting('device') ?? 'auto';
  if (!isDeviceWish(device)) {
    throw new InvalidWorkerOptionError(`--device ${device}: expected one of ${deviceWishes.join(', ')}.`, {
      field: 'device',
    });
  }
  const name = setting('name');
  if (name !== undefined && (name === '' || name.length > 64)) {
    throw new InvalidWorkerOptionError(`--name has ${name.length} characters, expected 1 to 64.`, {
      field: 'name',
    });
  }
  const code = setting('code') ?? 'deny';
  if (code !== 'allow' && code !== 'deny') {
    throw new InvalidWorkerOptionError(`--code ${code}: expected allow or deny.`, { field: 'code' });
  }
  const launched = setting('launched') ?? 'no';
  if (launched !== 'yes' && launched !== 'no') {
    throw new InvalidWorkerOptionError(`--launched ${launched}: expected yes or no.`, { field: 'launched' });
  }
  const threads = setting('threads');
  if (
    threads !== undefined &&
    !(/^\d{1,3}$/.test(threads) && Number(threads) >= 1 && Number(threads) <= MAX_THREADS)
  ) {
    throw new InvalidWorkerOptionError(`--threads ${threads}: expected 1 to ${MAX_THREADS}.`, {
      field: 'threads',
    });
  }
  const cache = setting('cache') ?? defaultCache;
  return {
    url: coordinatorUrl(setting('url')),
    token: setting('token'),
    device,
    name,
    allowCode: code === 'allow',
    threads: threads === undefined ? undefined : Number(threads),
    cacheFolder: cache === 'none' ? undefined : cache,
    launched: launched === 'yes',
  };
}

function coordinatorUrl(text: string | undefined): string {
  const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
  // A path is that of a coordinator behind a proxy.
  if (url?.protocol === 'http:' || url?.protocol === 'https:')
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  throw new InvalidWorkerOptionError(
    `--url ${text ?? 'is missing'}: expected the address of a coordinator, e.g. http://127.0.0.1:7070.`,
    { field: 'url' },
  );
}
