// Whether the browser of local worker tabs must have its sandbox, and what to tell when it can not be had. The page that it
// opens is the coordinator's: on another machine, a stranger's.

import { readFileSync } from 'node:fs';
import { TabgradError } from '../../../kernels/errors.ts';

/** The sandbox was asked for, or is a must, and can't be had; or it was declined where it is a must. */
export class BrowserSandboxError extends TabgradError {
  readonly code = 'BROWSER_SANDBOX_MISSING';
}

/** preferred: without it where it can't be had, said aloud. */
export type SandboxPolicy = 'required' | 'preferred' | 'off';

export interface SandboxWish {
  /** Address of the coordinator whose page is opened. */
  readonly url: string;
  /** The coordinator was started by this process; else it is one's own when its address is on this machine. */
  readonly isOwnCoordinator: boolean | undefined;
  /** What the owner of this machine said; undefined leaves it to the variable. */
  readonly browserSandbox: boolean | undefined;
}

const SANDBOX_VARIABLE = 'TABGRAD_BROWSER_SANDBOX';

/** @throws BrowserSandboxError where the sandbox is declined for a coordinator elsewhere, or the variable has another value. */
export function sandboxPolicy(wish: SandboxWish, variables: NodeJS.ProcessEnv): SandboxPolicy {
  const said = variables[SANDBOX_VARIABLE] ?? '';
  if (!['', 'on', 'off'].includes(said)) {
    throw new BrowserSandboxError(`${SANDBOX_VARIABLE} is "${said}"; expected "on" or "off".`, {
      field: SANDBOX_VARIABLE,
    });
  }
  const isOwn = wish.isOwnCoordinator ?? isOnThisMachine(wish.url);
  const isDeclined = !(wish.browserSandbox ?? said !== 'off');
  if (!isDeclined) return isOwn ? 'preferred' : 'required';
  if (isOwn) return 'off';
  throw new BrowserSandboxError(
    `The browser's sandbox is switched off, but ${new URL(wish.url).origin} is not on this machine: pages of others are ` +
      'opened inside the sandbox alone. Leave it on, or lend a Node or Deno worker.',
    { field: 'browserSandbox' },
  );
}

function isOnThisMachine(url: string): boolean {
  const host = new URL(url).hostname;
  return (
    host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.[\d.]+$/.test(host)
  );
}

/** What Chromium itself says when it has no sandbox. */
const chromiumComplaints =
  /No usable sandbox|without --no-sandbox|Failed to move to new namespace|setpriv: [^\n]*|SUID sandbox helper/;

/** The browser's own words about its sandbox; undefined when it failed for another reason. */
export function sandboxComplaint(error: unknown): string | undefined {
  return chromiumComplaints.exec(error instanceof Error ? error.message : '')?.[0];
}

/** What this machine lacks for the sandbox, as far as Linux tells, and how to get it. */
export function sandboxAdvice(): string {
  if (process.platform !== 'linux') return 'Install a current Chrome or Chromium.';
  const reasons = [
    setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === '1' &&
      'AppArmor keeps user namespaces from programs that it does not know (kernel.apparmor_restrict_unprivileged_userns is 1): ' +
        "install Chrome or Chromium from the system's packages, which bring a profile.",
    setting('/proc/sys/kernel/unprivileged_userns_clone') === '0' &&
      'kernel.unprivileged_userns_clone is 0: set it to 1.',
    setting('/proc/sys/user/max_user_namespaces') === '0' && 'user.max_user_namespaces is 0: raise it.',
  ].filter((reason) => reason !== false);
  if (reasons.length > 0) return reasons.join(' ');
  return (
    'Chromium needs user namespaces for it, which containers often refuse (Docker: run the container with a seccomp profile ' +
    'that allows clone and unshare with CLONE_NEWUSER, and as another user than root).'
  );
}

function setting(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
