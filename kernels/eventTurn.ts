// Lets everything that has arrived be heard. What computes on the processor never waits for the world by itself: no halt,
// newcomer, signal or peer would reach it before its end.

/** Resolves after the events that are due. A message, since tabs hold timers back: by 4 ms each when they follow one another. */
export function eventTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
