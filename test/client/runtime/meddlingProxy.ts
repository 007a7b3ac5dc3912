// Stands between a worker and its coordinator: passes everything on, and on demand drops the control sockets or slips
// messages into them, as bad networks and bad coordinators do.

import { createServer, request, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';

export interface MeddlingProxy {
  readonly url: string;
  /** Breaks all control sockets off. */
  drop(): void;
  /** Says something to all workers in the coordinator's name. */
  inject(message: string | Uint8Array): void;
  /** While true, nobody can open a control socket. */
  refuse: boolean;
  close(): void;
}

export async function startMeddlingProxy(target: string): Promise<MeddlingProxy> {
  const { hostname, port } = new URL(target);
  const controls = new Set<WebSocket>();
  const webSockets = new WebSocketServer({ noServer: true });
  const server = createServer((incoming, outgoing) => {
    const { method, url, headers } = incoming;
    const passed = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  const proxy: MeddlingProxy = {
    url: '',
    refuse: false,
    drop: () => {
      for (const control of controls) control.terminate();
    },
    inject: (message) => {
      for (const control of controls) control.send(message);
    },
    close: () => {
      proxy.drop();
      server.closeAllConnections();
      server.close();
    },
  };
  const bridge = (incoming: IncomingMessage, near: WebSocket): void => {
    const { origin } = incoming.headers;
    const host = incoming.headers.host ?? '';
    const far = new WebSocket(`ws://${hostname}:${port}${incoming.url}`, {
      headers: { host, ...(origin === undefined ? {} : { origin }) },
    });
    const early: string[] = [];
    controls.add(near);
    near.on('message', (data: Buffer) => {
      if (far.readyState === WebSocket.OPEN) far.send(data.toString());
      else early.push(data.toString());
    });
    far.on('open', () => {
      for (const text of early) far.send(text);
    });
    far.on('message', (data: Buffer) => near.send(data.toString()));
    // As a router would that lost power: the coordinator gets no goodbye unless the worker said one.
    near.on('close', (code) => {
      controls.delete(near);
      if (code === 1000) far.close(1000);
      else far.terminate();
    });
    far.on('close', (code, reason) => near.close(code === 1006 ? 1011 : code, reason.toString()));
    for (const socket of [near, far]) socket.on('error', () => {});
  };
  server.on('upgrade', (incoming, socket, head) => {
    if (incoming.url !== '/control') {
      const far = connect(Number(port), hostname, () => {
        const headers = incoming.rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n'));
        far.write(`${incoming.method} ${incoming.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
        far.write(head);
        far.pipe(socket).pipe(far);
      });
      for (const end of [far, socket]) end.on('error', () => [far, socket].forEach((one) => one.destroy()));
    } else if (proxy.refuse) socket.destroy();
    else webSockets.handleUpgrade(incoming, socket, head, (near) => bridge(incoming, near));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(proxy, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
