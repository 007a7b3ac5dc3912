// What a socket to the signalling server says of itself: parameters of its address.

const PARAMETERS = ['key', 'id', 'token'] as const;
const MAX_CHARACTERS = 128;

export type Handshake = Readonly<Record<(typeof PARAMETERS)[number], string>>;

/**
 * Read once, here; everybody else gets the values or an address made from them. Undefined when a parameter is missing, too
 * long or there twice: of two values one reader takes the first and another one the last. Further parameters count for
 * nothing.
 */
export function readHandshake(target: string): Handshake | undefined {
  const parameters = new URLSearchParams(target.split('?').slice(1).join('?'));
  const values = PARAMETERS.map((name) => {
    const [value = '', ...more] = parameters.getAll(name);
    return more.length === 0 && value.length <= MAX_CHARACTERS ? value : '';
  });
  const [key = '', id = '', token = ''] = values;
  return values.every((value) => value !== '') ? { key, id, token } : undefined;
}

export function handshakeTarget(path: string, handshake: Handshake): string {
  return `${path}?${new URLSearchParams(handshake).toString()}`;
}
