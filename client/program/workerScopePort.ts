// The port of a dedicated worker of the web's kind, as Deno has them too.

import type { ThreadPort, ToThread } from './threadMessages.ts';

export function workerScopePort(): ThreadPort {
  const scope = globalThis as unknown as DedicatedWorkerGlobalScope;
  return {
    post: (frame) => scope.postMessage(frame, [frame]),
    onMessage: (receive) => {
      scope.onmessage = (event: MessageEvent<ToThread>) => receive(event.data);
    },
    end: () => scope.close(),
  };
}
