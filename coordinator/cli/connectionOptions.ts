// Options shared by the commands that talk to a coordinator that is up already.

import { deviceKinds } from '../../kernels/deviceKinds.ts';
import { MAX_THREADS, runtimes } from '../../shared/protocol/runtimes.ts';
import type { CoordinatorAddress } from '../cluster/remote/askCoordinator.ts';
import { ownerAccess } from '../cluster/remote/ownerAccess.ts';
import { trustedAuthorities } from '../cluster/remote/serverTrust.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { CliContext } from './command.ts';
import type { OptionSpecs, OptionValues } from './options.ts';
import type { LocalWorkersOptions } from '../cluster/local/localWorkersOptions.ts';

export const urlOption = {
  type: 'url',
  placeholder: 'URL',
  help: 'Address of the coordinator, or its join link.',
  env: 'TABGRAD_URL',
} as const;

/** For coordinators whose certificate comes from an authority that this machine does not know. */
export const trustOptions = {
  ca: {
    type: 'text',
    placeholder: 'FILE',
    help: "Certificate (PEM) of the authority that vouches for the coordinator's.",
    env: 'TABGRAD_CA',
  },
  'ca-fingerprint': {
    type: 'text',
    placeholder: 'SHA256',
    help: 'Fingerprint of that authority instead of its certificate, as "tabgrad up --tls self" prints it.',
    env: 'TABGRAD_CA_FINGERPRINT',
  },
} as const satisfies OptionSpecs;

/** For the commands that look at a coordinator and steer it. */
export const adminOptions = {
  url: { ...urlOption, default: 'http://127.0.0.1:7070' },
  token: {
    type: 'text',
    placeholder: 'TOKEN',
    help: "The coordinator's admin token. Not needed for a coordinator that you started on this machine.",
    env: 'TABGRAD_ADMIN_TOKEN',
  },
  ...trustOptions,
} as const satisfies OptionSpecs;

/** The coordinator of the options, asked as its owner. @throws what trustedAuthorities and ownerAccess throw. */
export async function coordinatorAddress(
  options: ReachedBy,
  { env, signal }: Pick<CliContext, 'env' | 'signal'>,
): Promise<CoordinatorAddress> {
  return reachedAt({ ...options, ...(await ownerAccess(options.url, options.token, env)) }, signal);
}

/** @throws what trustedAuthorities throws. */
export async function reachedAt(
  { url, token, ca, 'ca-fingerprint': caFingerprint }: ReachedBy,
  signal: AbortSignal,
): Promise<CoordinatorAddress> {
  return { url, token, signal, ca: await trustedAuthorities({ url, caFile: ca, caFingerprint, signal }) };
}

interface ReachedBy extends OptionValues<typeof trustOptions> {
  readonly url: string;
  readonly token: string | undefined;
}

/** What workers of this machine run on, compute with and get. */
export const workerOptions = {
  runtime: {
    type: 'choice',
    choices: runtimes,
    default: 'node',
    help: 'What the worker runs on.',
  },
  device: {
    type: 'choice',
    choices: deviceKinds,
    help: 'What it computes on. Without it: WebGPU where a real GPU is there, else the processor.',
  },
  threads: {
    type: 'integer',
    placeholder: 'N',
    min: 1,
    max: MAX_THREADS,
    help: 'Threads of the processor that each worker computes with. Without it the cores of the machine, divided among them.',
    env: 'TABGRAD_THREADS',
  },
  'worker-env': {
    type: 'text',
    placeholder: 'NAMES',
    help: "Variables of the environment, separated by commas, that workers get besides paths, proxies, certificates and drivers' settings.",
    env: 'TABGRAD_WORKER_ENV',
  },
  'no-browser-sandbox': {
    type: 'flag',
    help: "Run the browser without its sandbox (or TABGRAD_BROWSER_SANDBOX=off). Refused where the coordinator is another machine's.",
  },
} as const satisfies OptionSpecs;

/** @throws BadArgumentError where the browser's sandbox is declined and there is no browser. */
export function localWorkerSettings({
  runtime,
  threads,
  'worker-env': workerEnv,
  'no-browser-sandbox': isDeclined,
}: OptionValues<typeof workerOptions>): Pick<
  LocalWorkersOptions,
  'browserSandbox' | 'threads' | 'workerEnv'
> {
  if (isDeclined && runtime !== 'browser')
    throw new BadArgumentError(
      `--no-browser-sandbox has no effect on workers in ${runtime}; expected --runtime browser beside it.`,
    );
  return {
    ...(threads !== undefined && { threads }),
    ...(workerEnv !== undefined && { workerEnv: workerEnv.split(',').map((name) => name.trim()) }),
    ...(isDeclined && { browserSandbox: false }),
  };
}
