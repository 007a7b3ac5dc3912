// Lines that are shown again and again: in place on a terminal, one block below the other elsewhere.

import { setTimeout as pause } from 'node:timers/promises';
import { LiveLines, terminalRows } from '../progress/liveLines.ts';
import { visibleOutput } from '../log/textOutput.ts';
import type { CliContext } from './command.ts';

const EVERY_MS = 2_000;

export interface WatchOptions {
  /** The lines as they are now. */
  readonly block: () => Promise<string>;
  /** Whether a terminal shows it in place. */
  readonly isRedrawn: boolean;
  readonly everyMs?: number;
}

/**
 * Shows the block until the context's signal fires. Where blocks stand below one another an empty line is between two, unless they are
 * for programs (`isRedrawn` is false).
 * @throws what `block` throws, unless that is because of the signal; what was drawn last stays.
 */
export async function watchBlock(
  { stdout, signal }: Pick<CliContext, 'signal' | 'stdout'>,
  { block, isRedrawn, everyMs = EVERY_MS }: WatchOptions,
): Promise<void> {
  const output = visibleOutput(stdout);
  const live = new LiveLines(output);
  const isInPlace = isRedrawn && output.isTTY === true;
  let text = '';
  const draw = (): void => void live.show(fitting(text, terminalRows(output) - 1));
  const leave = (): void => live.leave();
  if (isInPlace) {
    output.on?.('resize', draw);
    signal.addEventListener('abort', leave, { once: true });
  }
  try {
    while (!signal.aborted) {
      const before = text;
      text = await block();
      if (isInPlace) draw();
      else output.write(`${before === '' || !isRedrawn ? '' : '\n'}${text}`);
      await pause(everyMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    live.leave();
    output.off?.('resize', draw);
    signal.removeEventListener('abort', leave);
  }
}

/** The first lines, and how many more there are. */
function fitting(text: string, most: number): string[] {
  const lines = text.trimEnd().split('\n');
  if (lines.length <= most) return lines;
  return [...lines.slice(0, Math.max(0, most - 1)), `… ${lines.length - most + 1} more lines`];
}
