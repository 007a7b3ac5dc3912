// The text of a request's body. JSON is UTF-8 (RFC 8259, section 8.1): bytes that are not are refused, since a replaced
// character would turn a category into an unknown one, and its prediction into another.

import { charsetOf } from '../../../shared/serve/serveRequest.ts';
import { utf8Text } from '../../http/utf8Text.ts';
import { MediaTypeError } from './serveErrors.ts';

/** @throws BadRequestError naming the first byte that is not UTF-8. */
export function bodyText(body: string | Uint8Array): string {
  return typeof body === 'string' ? body : utf8Text(body, 'The body');
}

/** Whether the header names no charset, or one whose text is UTF-8 too. */
export function isUtf8Charset(contentType: string | undefined): boolean {
  const charset = charsetOf(contentType);
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset);
}

/** For models: what another charset says is not read as if it were UTF-8. @throws MediaTypeError */
export function requireUtf8Charset(contentType: string | undefined): void {
  if (isUtf8Charset(contentType)) return;
  const charset = charsetOf(contentType)!;
  throw new MediaTypeError(`The body has the charset "${charset.slice(0, 100)}"; JSON is sent as UTF-8.`);
}
