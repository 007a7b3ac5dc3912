// Where an HTTP answer sends its request on to. Requests follow by rules of their own, since those of `fetch` take all
// headers but a few along, tokens in headers of other names among them.

import { TabgradError } from '../../kernels/errors.ts';

/** An answer sends a request to where it must not go. */
export class RedirectRefusedError extends TabgradError {
  readonly code = 'REDIRECT_REFUSED';
}

/** Longer chains are loops, or somebody's game. */
export const MAX_REDIRECTS = 10;

/** Whether an answer of this status sends its request elsewhere. */
export function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/**
 * The address that an answer from `from` names.
 * @param location the header, null where there is none.
 * @throws RedirectRefusedError when it names none, or one that is less protected.
 */
export function redirectTarget(from: URL, status: number, location: string | null): URL {
  const what = `${from.host} answers with a redirect (status ${status})`;
  if (location === null || !URL.canParse(location, from))
    throw new RedirectRefusedError(`${what} and does not say where to.`);
  const target = new URL(location, from);
  if (target.protocol !== 'https:' && target.protocol !== from.protocol) {
    throw new RedirectRefusedError(
      `${what} from ${from.protocol}// to ${target.protocol}//${target.host}, which is not followed.`,
    );
  }
  if (target.username !== '' || target.password !== '')
    throw new RedirectRefusedError(`${what} to an address with a password in it, which is not followed.`);
  return target;
}

/** @throws RedirectRefusedError after MAX_REDIRECTS of them. */
export function checkHops(hops: number, from: URL): void {
  if (hops < MAX_REDIRECTS) return;
  throw new RedirectRefusedError(
    `${from.host} answers with one redirect more than ${MAX_REDIRECTS} in a row.`,
  );
}
