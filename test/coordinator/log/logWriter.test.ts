import { describe, expect, it } from 'vitest';
import { logWriter, type LogWriterOptions } from '../../../coordinator/log/logWriter.ts';
import { ManualClock } from '../../setup/manualClock.ts';

const TIME = '2026-03-01T12:00:00.000Z';

function written(options: Partial<LogWriterOptions> = {}) {
  const lines: string[] = [];
  const clock = new ManualClock();
  const output = { write: (text: string) => void lines.push(text) };
  const writer = logWriter({ output, clock, nowMs: () => Date.parse(TIME) + clock.now(), ...options });
  return { ...writer, lines, clock };
}

describe('the log of a coordinator', () => {
  it('is a line an entry, with the time; of who comes and goes only where that is asked for', () => {
    const { log, lines } = written();
    log({ level: 'info', message: 'Worker w-1 joined' });
    log({ level: 'warn', message: 'Blobs could not be swept' });
    log({ level: 'error', message: 'It failed:\nError: x\n    at y' });
    expect(lines).toEqual([
      `${TIME} warning: Blobs could not be swept\n`,
      `${TIME} error: It failed: Error: x     at y\n`,
    ]);
    const verbose = written({ verbose: true });
    verbose.log({ level: 'info', message: 'Worker w-1 joined' });
    expect(verbose.lines).toEqual([`${TIME} info: Worker w-1 joined\n`]);
  });

  it('is a JSON value a line where that is asked for', () => {
    const { log, lines } = written({ json: true, verbose: true });
    log({ level: 'info', message: 'two\nlines\u009b', workerId: 'w-1', kind: 'joined', source: 'w-1' });
    log({ level: 'warn', message: 'x', runId: 'r' });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { type: 'log', time: TIME, level: 'info', message: 'two\nlines\u009b', workerId: 'w-1' },
      { type: 'log', time: TIME, level: 'warn', message: 'x', runId: 'r' },
    ]);
    expect(lines[0]).toContain('two\\nlines\\u009b');
  });

  it('has no line that somebody else made', () => {
    const { log, lines } = written();
    log({ level: 'warn', message: `Worker w-1 is leaving: a\n${TIME} error: forged\u001b[2J\u2028x` });
    expect(lines).toEqual([
      `${TIME} warning: Worker w-1 is leaving: a ${TIME} error: forged\\u001b[2J\\u2028x\n`,
    ]);
  });

  it('tells the number of what was withheld ten seconds after the first, or at its end', () => {
    const { log, lines, clock, close } = written();
    const flood = (): void => {
      for (let nth = 0; nth < 10; nth++) log({ level: 'warn', kind: 'refused', source: 'a', message: 'no' });
    };
    flood();
    clock.advance(9_999);
    expect(lines).toHaveLength(3);
    clock.advance(1);
    expect(lines.slice(3)).toEqual([
      '2026-03-01T12:00:10.000Z warning: 7 more like this from a in 10 s: no\n',
    ]);
    expect(clock.pending).toBe(0);
    flood();
    clock.advance(2_000);
    close();
    expect(lines.at(-1)).toBe('2026-03-01T12:00:12.000Z warning: 7 more like this from a in 2 s: no\n');
    close();
    expect(lines).toHaveLength(8);
  });
});
