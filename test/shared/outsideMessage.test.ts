import { describe, expect, it } from 'vitest';
import { StorageError } from '../../coordinator/core/blobs/blobErrors.ts';
import { BadRequestError } from '../../coordinator/http/httpErrors.ts';
import { DeadlineError, errorCodes } from '../../kernels/errors.ts';
import { outsideMessage } from '../../shared/outsideMessage.ts';

describe('outsideMessage', () => {
  it('passes on what concerns the other end', () => {
    expect(outsideMessage(new BadRequestError('The body must be JSON'))).toEqual({
      code: 'BAD_REQUEST',
      message: 'The body must be JSON',
      isShortened: false,
    });
    expect(outsideMessage(new DeadlineError('Worker w did not answer')).message).toBe(
      'Worker w did not answer',
    );
  });

  it.each([
    [new StorageError('A blob cannot be written to /srv/secret: EACCES'), 'STORAGE_FAILED'],
    [new Error('ENOENT: /srv/secret'), 'INTERNAL'],
    ['/srv/secret', 'INTERNAL'],
  ] as const)('tells of a failure of the server no more than what kind it is', (error, code) => {
    expect(outsideMessage(error)).toEqual({ code, message: errorCodes[code], isShortened: true });
  });
});
