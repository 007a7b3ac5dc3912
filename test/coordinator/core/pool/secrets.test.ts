import { describe, expect, it } from 'vitest';
import { makeSecret } from '../../../../coordinator/core/pool/secrets.js';

describe('A secret', () => {
  it('has 256 bits and can follow an option on a command line', () => {
    const secrets = Array.from({ length: 2_000 }, makeSecret);
    expect(new Set(secrets).size).toBe(secrets.length);
    for (const secret of secrets) expect(secret).toMatch(/^[A-Za-z0-9][\w-]{42}$/);
  });
});
