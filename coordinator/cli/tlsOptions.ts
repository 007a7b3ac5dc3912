// Options of the commands that listen: with whose certificate.

import { resolve } from 'node:path';
import type { TlsSettings } from '../core/tls/openTls.ts';
import { BadArgumentError } from './cliErrors.ts';
import type { OptionSpecs, OptionValues } from './options.ts';

export const tlsOptions = {
  tls: {
    type: 'choice',
    choices: ['self'],
    help: 'Speak https with a certificate from an authority of its own, kept in the storage folder. For a LAN: browsers give a GPU to encrypted pages alone.',
  },
  'tls-names': {
    type: 'text',
    placeholder: 'NAMES',
    help: 'Further names and addresses for that certificate, separated by commas.',
  },
  'tls-cert': {
    type: 'text',
    placeholder: 'FILE',
    help: 'Speak https with this certificate chain (PEM). Read again when it changes.',
    env: 'TABGRAD_TLS_CERT',
  },
  'tls-key': {
    type: 'text',
    placeholder: 'FILE',
    help: 'Its private key (PEM).',
    env: 'TABGRAD_TLS_KEY',
  },
} as const satisfies OptionSpecs;

/** @throws BadArgumentError when the options contradict one another. */
export function tlsSettings(
  values: OptionValues<typeof tlsOptions>,
  storage: string | undefined,
  cwd: string,
): TlsSettings | undefined {
  const { tls, 'tls-cert': certFile, 'tls-key': keyFile, 'tls-names': names } = values;
  if (tls === undefined && names !== undefined) {
    throw new BadArgumentError('--tls-names goes together with --tls self.');
  }
  if (tls !== undefined) {
    if (certFile !== undefined || keyFile !== undefined) {
      throw new BadArgumentError('--tls self makes its own certificate: leave --tls-cert and --tls-key out.');
    }
    if (storage === undefined) {
      throw new BadArgumentError(
        '--tls self needs --storage DIR: an authority that is new at every start would have to be trusted anew each time.',
      );
    }
    return {
      selfMadeIn: resolve(cwd, storage),
      ...(names !== undefined && { names: names.split(',').map(nameOfServer) }),
    };
  }
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new BadArgumentError(
      `--tls-cert and --tls-key go together; --tls-${certFile === undefined ? 'cert' : 'key'} is missing.`,
    );
  }
  return { certFile: resolve(cwd, certFile), keyFile: resolve(cwd, keyFile) };
}

function nameOfServer(text: string): string {
  const name = text.trim().toLowerCase();
  if (/^([a-z0-9_-]+\.)*[a-z0-9_-]+$|^[0-9a-f:]*:[0-9a-f:.]*$/.test(name) && name.length <= 253) return name;
  throw new BadArgumentError(`--tls-names expects names and addresses, but got "${text.slice(0, 100)}".`);
}
