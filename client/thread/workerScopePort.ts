// The port of a dedicated worker of the web's kind, as Deno has them too.

import type { ThreadPort } from './threadPort.ts';

export function workerScopePort(): ThreadPort {
  const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
  // Taken before any code of an owner could put its own in their place.
  const postMessage = scope.postMessage.bind(scope);
  const close = scope.close.bind(scope);
  return {
    post: (message, transfer) => postMessage(message, [...transfer]),
    onMessage: (receive) => {
      scope.onmessage = (event: MessageEvent<unknown>) => receive(event.data);
    },
    end: close,
  };
}
