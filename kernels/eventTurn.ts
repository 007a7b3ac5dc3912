// Lets everything that has arrived be heard. What computes on the processor never waits for the world by itself: no halt,
// newcomer, signal or peer would reach it before its end.

/** Longest time without a timer in Deno, whose sockets are served by no other turn. A timer costs 1 to 2 ms there. */
const DENO_TIMER_EVERY_MS = 10;

/** In Deno, messages and immediates come one after another without a look at the sockets. */
const isDeno = 'Deno' in globalThis;
let lastTimerAt = Number.NEGATIVE_INFINITY;

/** Resolves after the events that are due. */
export function eventTurn(): Promise<void> {
  if (isDeno && performance.now() - lastTimerAt >= DENO_TIMER_EVERY_MS) return timerTurn();
  return messageTurn();
}

function timerTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(() => {
      lastTimerAt = performance.now();
      resolve();
    }, 0);
  });
}

/** A message, since tabs hold timers back: by 4 ms each when they follow one another. */
function messageTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
