// Splits the text of an expression into tokens.

import { ExpressionError } from './configErrors.ts';

export type Token =
  | { readonly kind: 'number'; readonly value: number; readonly at: number }
  | { readonly kind: 'text'; readonly value: string; readonly at: number }
  /** A bare word: a column, a function, true or false. */
  | { readonly kind: 'word'; readonly value: string; readonly at: number }
  /** A column in backticks, for names that are no plain words. */
  | { readonly kind: 'column'; readonly value: string; readonly at: number }
  | { readonly kind: 'symbol'; readonly value: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number };

const pattern =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<text>"[^"]*"|'[^']*')|(?<column>`[^`]+`)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<symbol>&&|\|\||[=!<>]=|[-+*/%<>!(),]))/uy;

/** @throws ExpressionError naming the character that can not be read. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = [];
  let end = 0;
  while (text.slice(end).trim() !== '') {
    pattern.lastIndex = end;
    const groups = pattern.exec(text)?.groups;
    if (groups === undefined) {
      const at = end + text.slice(end).search(/\S/);
      throw new ExpressionError(
        `The expression "${text}" can not be read at character ${at + 1}: ${text.slice(at, at + 10)}`,
      );
    }
    end = pattern.lastIndex;
    const { number, text: quoted, column, word, symbol } = groups;
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number), at: end - number.length });
    else if (quoted !== undefined)
      tokens.push({ kind: 'text', value: quoted.slice(1, -1), at: end - quoted.length });
    else if (column !== undefined)
      tokens.push({ kind: 'column', value: column.slice(1, -1), at: end - column.length });
    else if (word !== undefined) tokens.push({ kind: 'word', value: word, at: end - word.length });
    else if (symbol !== undefined) tokens.push({ kind: 'symbol', value: symbol, at: end - symbol.length });
  }
  return [...tokens, { kind: 'end', at: text.length }];
}
