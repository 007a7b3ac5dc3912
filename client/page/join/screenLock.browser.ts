// Keeps the screen on while work goes on, where the volunteer wants that.

export class ScreenLock {
  #isWanted = false;
  #lock: WakeLockSentinel | undefined;

  constructor() {
    // Browsers let go of it when the page is hidden.
    document.addEventListener('visibilitychange', () => void this.#apply());
  }

  want(isWanted: boolean): void {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    void this.#apply();
  }

  async #apply(): Promise<void> {
    const wakeLock = navigator.wakeLock as WakeLock | undefined;
    if (!wakeLock) return;
    try {
      if (!this.#isWanted) return await this.#lock?.release();
      if (document.visibilityState !== 'visible') return;
      this.#lock = await wakeLock.request('screen');
      if (!this.#isWanted) await this.#lock.release();
    } catch {
      // Low battery, or not allowed here.
    }
  }
}
