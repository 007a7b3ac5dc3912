// A worker made by hand: it joins as real ones do, and then does what it wants.

import { WebSocket } from 'ws';
import { PROTOCOL_VERSION } from '../../shared/protocol/control.ts';

type Message = Readonly<Record<string, unknown>> & { readonly type: string };

export interface JoinedWorker {
  readonly socket: WebSocket;
  readonly workerId: string;
  readonly secret: string;
  /** The next message of that type, whatever comes before it. @throws Error when the socket closes before. */
  next(type: string): Promise<Message>;
  /** Sends a piece of a message that does not end, and waits until it is on its way. */
  sendPiece(text: string): Promise<void>;
}

/**
 * @param headers e.g. X-Forwarded-For, with a coordinator that trusts proxies of this machine.
 * @throws Error with the code of the refusal.
 */
export async function joinWorker(
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<JoinedWorker> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/control`, { headers });
  const seen: Message[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const waiter of waiting) waiter();
  };
  socket.on('message', (data: Buffer) => {
    seen.push(JSON.parse(data.toString()) as Message);
    look();
  });
  socket.on('error', () => undefined);
  socket.on('close', look);
  const next = (type: string): Promise<Message> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const at = seen.findIndex((message) => message.type === type);
        const refused = seen.find((message) => message.type === 'refused');
        if (at < 0 && !refused && socket.readyState < WebSocket.CLOSING) return;
        waiting.delete(check);
        if (at >= 0) resolve(seen.splice(at, 1)[0]!);
        else reject(new Error(`no ${type}: ${(refused?.['code'] as string | undefined) ?? 'closed'}`));
      };
      waiting.add(check);
      check();
    });
  socket.once('open', () => {
    const device = { kind: 'cpu', name: 'by hand' };
    const hello = { type: 'hello', protocol: PROTOCOL_VERSION, token, runtime: 'node', device, cores: 1 };
    socket.send(JSON.stringify(hello));
  });
  const { workerId, secret } = (await next('welcome')) as Message & { workerId: string; secret: string };
  return {
    socket,
    workerId,
    secret,
    next,
    sendPiece: (text) =>
      new Promise((resolve) => {
        if (socket.readyState === WebSocket.OPEN) socket.send(text, { fin: false }, () => resolve());
        else resolve();
      }),
  };
}
