import { describe, expect, it } from 'vitest';
import { textTable } from '../../../coordinator/cli/textTable.ts';
import { terminalProgress } from '../../../coordinator/progress/terminalProgress.ts';
import { visibleOutput } from '../../../coordinator/log/textOutput.ts';
import { tuneTable } from '../../../coordinator/tune/progress/tuneTable.ts';
import { visibleText } from '../../../kernels/visibleText.ts';
import { formatRows } from '../../../shared/columns/formatRows.ts';

const HOSTILE = 'a\u001b[2J\nb\u202e';
const HARMLESS = 'a\\u001b[2J b\\u202e';

function collector(): { written: string[]; write: (text: string) => void; columns: number } {
  const written: string[] = [];
  return { written, write: (text) => void written.push(text), columns: 200 };
}

/** Without our own sequences: back over so many lines, and clear what follows. */
function withoutRedrawing(written: readonly string[]): string {
  const sequences = [0, 1, 2, 3, 4].map((rows) => `\r${rows === 0 ? '' : `\u001b[${rows}A`}\u001b[J`);
  return sequences.reduce((text, sequence) => text.replaceAll(sequence, ''), written.join(''));
}

describe('output for people', () => {
  it('writes out what would act on a terminal, but for sequences of our own', () => {
    const { written, write } = collector();
    const output = visibleOutput({ write });
    output.write('a\u001b[2J\nb\u009b');
    output.control('\r\u001b[K', 'c\u0007');
    expect(written).toEqual(['a\\u001b[2J\nb\\u009b', '\r\u001b[Kc\\u0007']);
  });

  it('is cleaned once, however often it is asked for', () => {
    const output = visibleOutput(collector());
    expect(visibleOutput(output)).toBe(output);
  });

  it('knows the width and the kind of the place that it goes to, when they change too', () => {
    const place = { write: () => true, isTTY: true, columns: 80, rows: 24 };
    const output = visibleOutput(place);
    expect([output.isTTY, output.columns, output.rows]).toEqual([true, 80, 24]);
    place.columns = 100;
    expect(output.columns).toBe(100);
  });

  it('has a row a row in tables, aligned by what is shown', () => {
    expect(
      textTable([
        [HOSTILE, 'x'],
        ['', 'y'],
      ]),
    ).toBe(`${HARMLESS}  x\n${' '.repeat(HARMLESS.length)}  y\n`);
    expect(formatRows([HOSTILE], [{ [HOSTILE]: HOSTILE }]).split('\n')).toEqual([
      HARMLESS,
      '-'.repeat(HARMLESS.length),
      HARMLESS,
    ]);
  });

  it('has names of metrics, devices and reasons harmless in progress, live and plain', () => {
    for (const mode of ['live', 'plain'] as const) {
      const stream = collector();
      const progress = terminalProgress({ stream, mode, roundsTotal: 1, now: () => 0 });
      progress.event({ type: 'waiting', reason: HOSTILE });
      progress.event({
        type: 'group',
        generation: 1,
        workers: [{ workerId: HOSTILE, runtime: 'node', device: HOSTILE, rows: 1 }],
      });
      progress.event({
        type: 'round',
        committed: { round: 0, payload: [], metrics: { [HOSTILE]: 1 } },
        timings: [],
      });
      progress.event({ type: 'workerLost', workerId: 'w', reason: HOSTILE, shards: 1 });
      progress.close();
      const text = withoutRedrawing(stream.written);
      expect(visibleText(text)).toBe(text);
      expect(text).not.toMatch(/^b/m);
      expect(text).toContain(`${HARMLESS} 1.00000`);
    }
  });

  it('has parameters and messages harmless in the table of trials', () => {
    const stream = collector();
    const table = tuneTable({ stream, mode: 'live', metric: undefined, best: undefined, now: () => 0 });
    const trial = {
      index: 0,
      status: 'errored' as const,
      reports: [],
      error: { code: 'INTERNAL' as const, message: HOSTILE },
    };
    table.callback.onEvent?.({ type: 'trial', trial, params: { name: HOSTILE } } as never);
    table.close();
    const text = withoutRedrawing(stream.written);
    expect(visibleText(text)).toBe(text);
    expect(text).toContain(HARMLESS);
    expect(text).not.toMatch(/^b/m);
  });
});
