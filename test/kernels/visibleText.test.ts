import { describe, expect, it } from 'vitest';
import { visibleLine, visibleText } from '../../kernels/visibleText.ts';

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

const classes: readonly (readonly [name: string, codes: readonly number[]])[] = [
  ['C0 controls', range(0x00, 0x1f).filter((code) => code !== 0x09 && code !== 0x0a)],
  ['delete and C1 controls', range(0x7f, 0x9f)],
  ['bidirectional marks', [0x200e, 0x200f, 0x061c]],
  ['bidirectional embeddings and overrides', range(0x202a, 0x202e)],
  ['bidirectional isolates', range(0x2066, 0x2069)],
  ['line and paragraph separators', [0x2028, 0x2029]],
  ['zero-width characters', [0x200b, 0x200c, 0x200d, 0x2060, 0xfeff, 0x00ad, 0x180e]],
];

describe('text of others', () => {
  it.each(classes)('is shown with its %s written out', (_, codes) => {
    for (const code of codes) {
      const written = `\\u${code.toString(16).padStart(4, '0')}`;
      expect(visibleText(`a${String.fromCodePoint(code)}b`)).toBe(`a${written}b`);
      expect(visibleLine(`a${String.fromCodePoint(code)}b`)).toBe(`a${written}b`);
    }
  });

  it('is shown with unseen tag letters written out as two code units', () => {
    expect(visibleText('ok\u{e0041}\u{e007f}')).toBe('ok\\udb40\\udc41\\udb40\\udc7f');
  });

  it('keeps letters of all scripts, emoji, lines and tabs', () => {
    const text = 'Zoë\tمرحبا 你好 🦊\nsecond ~ line \u{10ffff} \u00a0';
    expect(visibleText(text)).toBe(text);
  });

  it('loses no characters of its own, and is the same when it is written out twice', () => {
    const once = visibleText('\u001b]0;title\u0007 C:\\users\r');
    expect(once).toBe('\\u001b]0;title\\u0007 C:\\users\\u000d');
    expect(visibleText(once)).toBe(once);
  });

  it('has its line ends as line feeds; on one line as spaces', () => {
    expect(visibleText('a\r\nb\nc\rd')).toBe('a\nb\nc\\u000dd');
    expect(visibleLine('a\r\nb\nc\td')).toBe('a b c d');
  });

  it('is the same JSON value as before', () => {
    const value = { '\u009b31m': ['\u202eevil', '\u2028', '\u{e0041}', '\\u001b', 'plain "quoted"'] };
    const text = visibleText(JSON.stringify(value));
    expect(text).toBe(
      String.raw`{"\u009b31m":["\u202eevil","\u2028","\udb40\udc41","\\u001b","plain \"quoted\""]}`,
    );
    expect(JSON.parse(text)).toEqual(value);
  });
});
