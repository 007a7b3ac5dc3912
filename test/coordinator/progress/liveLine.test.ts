import { expect, it } from 'vitest';
import { visibleOutput } from '../../../coordinator/log/textOutput.ts';
import { LiveLine, lineWidth } from '../../../coordinator/progress/liveLine.ts';

it('a line is written once, then anew in its place, and taken away', () => {
  const written: string[] = [];
  const line = new LiveLine(visibleOutput({ write: (text: string) => written.push(text) }));
  line.erase();
  expect(['one', 'one', 'two'].map((text) => line.show(text))).toEqual([true, false, true]);
  line.erase();
  expect(written).toEqual(['one', '\r\u001B[Ktwo', '\r\u001B[K']);
});

it('a column of the terminal is left free', () => {
  const output = { write: () => undefined };
  expect([lineWidth({ ...output, columns: 40 }), lineWidth(output)]).toEqual([39, 79]);
});
