import { describe, expect, it } from 'vitest';
import { visibleOutput } from '../../../coordinator/log/textOutput.ts';
import { LiveLines, lineWidth } from '../../../coordinator/progress/liveLines.ts';
import { Screen } from '../../setup/screen.ts';

function drawing(columns = 20, rows = 6): { readonly screen: Screen; readonly live: LiveLines } {
  const screen = new Screen(columns, rows);
  return { screen, live: new LiveLines(visibleOutput(screen)) };
}

describe('lines that are drawn in their place', () => {
  it('are written once, then anew in one piece, and taken away', () => {
    const { screen, live } = drawing();
    live.erase();
    expect(['one', 'one', 'two'].map((text) => live.show([text]))).toEqual([true, false, true]);
    live.show(['two', 'three', 'four']);
    live.show(['five', 'six']);
    live.erase();
    expect(screen.written).toEqual([
      'one',
      '\r\u001B[Jtwo',
      '\r\u001B[Jtwo\nthree\nfour',
      '\r\u001B[2A\u001B[Jfive\nsix',
      '\r\u001B[1A\u001B[J',
    ]);
    expect(screen.lines).toEqual(['']);
  });

  it('stay below what is written above them', () => {
    const { screen, live } = drawing();
    live.show(['a', 'b']);
    live.above('first\nsecond\n');
    live.above('third\n', ['c']);
    expect(screen.lines).toEqual(['first', 'second', 'third', 'c']);
    live.leave();
    live.show(['d']);
    expect(screen.lines).toEqual(['first', 'second', 'third', 'c', 'd']);
  });

  it('are not more than the terminal has rows, and not wider', () => {
    const { screen, live } = drawing(20, 4);
    for (let i = 0; i < 3; i++) {
      live.show(Array.from({ length: 10 }, (_, line) => `line ${line} of drawing ${i} and on`));
      expect(screen.lines).toEqual([0, 1, 2].map((line) => `line ${line} of drawing…`));
    }
    live.erase();
    expect(screen.lines).toEqual(['']);
  });

  it('can not be torn by what others wrote', () => {
    const { screen, live } = drawing(30);
    const hostile = 'a\u001B[2J\n\rb\u009b31m\u202e';
    live.show(['above', hostile, `日本語${'日'.repeat(50)}`, `x${'\u0301'.repeat(9000)}`]);
    const drawn = screen.lines;
    expect(drawn[1]).toBe(String.raw`a\u001b[2J \u000db\u009b31m…`);
    expect(drawn[2]).toBe(`日本語${'日'.repeat(10)}…`);
    live.show(['end']);
    expect(screen.lines).toEqual(['end']);
  });

  it('are found again after the terminal has become narrower and wrapped them', () => {
    const written: string[] = [];
    const terminal = { columns: 40, rows: 24, write: (text: string) => written.push(text) };
    const live = new LiveLines(visibleOutput(terminal));
    live.show(['x'.repeat(38), 'short']);
    terminal.columns = 20;
    live.show(['y']);
    expect(written.at(-1)).toBe('\r\u001B[2A\u001B[Jy');
  });

  it('leave two columns free: a full line may wrap, and Ctrl-C echoes', () => {
    const output = { write: () => undefined };
    expect([40, 0, undefined, 1].map((columns) => lineWidth({ ...output, columns }))).toEqual([
      38, 78, 78, 1,
    ]);
  });
});
