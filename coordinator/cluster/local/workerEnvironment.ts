// Which variables of the environment workers and browsers are started with: those that find programs, files, proxies,
// certificates and graphics drivers. Everything else, credentials of any service among them, stays with this process.

import { LocalWorkersError } from './localErrors.ts';

const allowedNames: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TMP',
  'TEMP',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'DENO_CERT',
  'DENO_TLS_CA_STORE',
  'DENO_DIR',
  // Displays, libraries and drivers.
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'FONTCONFIG_PATH',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'DYLD_FALLBACK_LIBRARY_PATH',
  'LIBGL_DRIVERS_PATH',
  'CUDA_VISIBLE_DEVICES',
  'NVIDIA_VISIBLE_DEVICES',
  'NVIDIA_DRIVER_CAPABILITIES',
  'DRI_PRIME',
  // Windows starts no program without some of these.
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'USERNAME',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROGRAMFILES(X86)',
];
const allowedPrefixes: readonly string[] = ['LC_', 'XDG_', 'VK_', 'MESA_', 'GALLIUM_', 'RADV_', '__GLX_'];

/** Names of variables that this machine's owner hands on besides, separated by commas. */
const WORKER_ENV_VARIABLE = 'TABGRAD_WORKER_ENV';

/**
 * The variables that a worker or its browser starts with.
 * @param extra further names, checked before (see extraVariables).
 */
export function workerEnvironment(
  variables: NodeJS.ProcessEnv,
  extra: readonly string[] = [],
): Record<string, string> {
  const kept = Object.entries(variables).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined && (isAllowed(entry[0]) || extra.includes(entry[0])),
  );
  return Object.fromEntries(kept);
}

/**
 * The further names that are handed on: `given`, else those of TABGRAD_WORKER_ENV.
 * @throws LocalWorkersError for what is no name, and for tabgrad's own settings: tokens are among them.
 */
export function extraVariables(
  given: readonly string[] | undefined,
  variables: NodeJS.ProcessEnv,
): readonly string[] {
  const listed = variables[WORKER_ENV_VARIABLE] ?? '';
  const names = given ?? (listed === '' ? [] : listed.split(',').map((name) => name.trim()));
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
      throw new LocalWorkersError(
        `Workers can not be handed the variable "${name.slice(0, 128)}"; expected names like CUDA_CACHE_PATH, separated by commas.`,
        { field: 'workerEnv' },
      );
    }
    if (name.toUpperCase().startsWith('TABGRAD_')) {
      throw new LocalWorkersError(
        `Workers are not handed ${name}: settings and tokens of this process are not theirs.`,
        { field: 'workerEnv' },
      );
    }
  }
  return names;
}

/** Names of variables are the same in either case on Windows, and those of proxies everywhere. */
function isAllowed(name: string): boolean {
  const upper = name.toUpperCase();
  const known = name === upper || upper.endsWith('_PROXY') || process.platform === 'win32' ? upper : name;
  return allowedNames.includes(known) || allowedPrefixes.some((prefix) => known.startsWith(prefix));
}
