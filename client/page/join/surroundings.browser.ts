// What the page can know of the computer and its user: mains or battery, hidden or seen, idle or busy, memory.

import type { Sensed } from './limits.ts';

interface Battery extends EventTarget {
  readonly charging: boolean;
}

interface IdleWatch extends EventTarget {
  readonly userState: 'active' | 'idle' | null;
  readonly screenState: 'locked' | 'unlocked' | null;
  start(options: { threshold: number; signal?: AbortSignal }): Promise<void>;
}

interface IdleWatchType {
  new (): IdleWatch;
  requestPermission(): Promise<'granted' | 'denied'>;
}

const MEMORY_EVERY_MS = 10_000;
/** Browsers allow no less. */
const IDLE_AFTER_MS = 60_000;

const battery = navigator as Navigator & { getBattery?: () => Promise<Battery> };
const idleType = (globalThis as { IdleDetector?: IdleWatchType }).IdleDetector;
const memory = performance as Performance & {
  measureUserAgentSpecificMemory?: () => Promise<{ bytes: number }>;
};

export const canTellMains = battery.getBattery !== undefined;
export const canTellIdle = idleType !== undefined;

export class Surroundings {
  readonly #onChange: () => void;
  #isOnMains: boolean | undefined;
  #isIdle: boolean | undefined;
  #memoryBytes: number | undefined;
  #largestMemoryBytes: number | undefined;

  /** @param onChange told whenever something is different. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    document.addEventListener('visibilitychange', onChange);
    void this.#watchBattery();
    void this.#measureMemory();
  }

  get sensed(): Omit<Sensed, 'transferredBytes'> {
    return {
      isOnMains: this.#isOnMains,
      isHidden: document.visibilityState === 'hidden',
      isIdle: this.#isIdle,
      memoryBytes: this.#largestMemoryBytes,
    };
  }

  /** Bytes of this page and its threads at the last look. */
  get memoryBytes(): number | undefined {
    return this.#memoryBytes;
  }

  /** A pause frees memory: what counts is the most since the volunteer set the limit. */
  forgetMemory(): void {
    this.#largestMemoryBytes = undefined;
  }

  /** Asks the browser whether the user is away, from now on; has to follow a click. @returns whether it tells. */
  async watchIdle(): Promise<boolean> {
    if (!idleType || this.#isIdle !== undefined) return this.#isIdle !== undefined;
    try {
      if ((await idleType.requestPermission()) !== 'granted') return false;
      const watch = new idleType();
      const look = (): void => {
        this.#isIdle = watch.userState === 'idle' || watch.screenState === 'locked';
        this.#onChange();
      };
      watch.addEventListener('change', look);
      await watch.start({ threshold: IDLE_AFTER_MS });
      look();
      return true;
    } catch {
      return false;
    }
  }

  async #watchBattery(): Promise<void> {
    try {
      const found = await battery.getBattery?.();
      if (!found) return;
      const look = (): void => {
        this.#isOnMains = found.charging;
        this.#onChange();
      };
      found.addEventListener('chargingchange', look);
      look();
    } catch {
      // Refused by the browser's settings.
    }
  }

  async #measureMemory(): Promise<void> {
    for (;;) {
      try {
        const bytes = (await memory.measureUserAgentSpecificMemory?.())?.bytes;
        if (bytes === undefined) return;
        this.#memoryBytes = bytes;
        this.#largestMemoryBytes = Math.max(bytes, this.#largestMemoryBytes ?? 0);
        this.#onChange();
      } catch {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, MEMORY_EVERY_MS));
    }
  }
}
