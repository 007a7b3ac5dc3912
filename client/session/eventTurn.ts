// Lets everything that has arrived be heard. A member that is alone on the cpu device computes round after round without
// ever waiting for the world: no halt, newcomer or signal would reach it before its last round.

/** Resolves after the events that are due. A message, since timers of tabs in the background are held back. */
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
