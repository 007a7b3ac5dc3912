// Parses the small language of derived columns: numbers, "text", true and false, column names (`in backticks` where
// they are no plain words), + - * / %, comparisons, && || !, parentheses and the functions of functions.ts.
// Nothing else exists in it, so a config file can not run code.

import { nearestWord } from '../../../shared/text/nearestWord.ts';
import { ExpressionError } from './configErrors.ts';
import { functions } from './functions.ts';
import type { ExpressionNode } from './syntaxTree.ts';
import { readTokens, type Token } from './tokens.ts';

/** Operators from the loosest to the tightest; those of one level go from left to right. */
const levels = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>='], ['+', '-'], ['*', '/', '%']] as const;
const MAX_DEPTH = 50;
const MAX_LENGTH = 2000;

/** @throws ExpressionError saying what was expected at which character. */
export function parseExpression(text: string): ExpressionNode {
  if (text.length > MAX_LENGTH)
    throw new ExpressionError(
      `An expression has at most ${MAX_LENGTH} characters, but this one ${text.length}.`,
    );
  const tokens = readTokens(text);
  let next = 0;
  let depth = 0;

  const peek = (): Token => tokens[next] ?? { kind: 'end', at: text.length };
  const isSymbol = (value: string): boolean => {
    const token = peek();
    return token.kind === 'symbol' && token.value === value;
  };
  const fail = (expected: string): never => {
    const token = peek();
    const found = token.kind === 'end' ? 'it ends' : `"${token.value}" is there`;
    throw new ExpressionError(
      `The expression "${text}" expects ${expected} at character ${token.at + 1}, but ${found}.`,
    );
  };
  const take = (value: string): void => {
    if (!isSymbol(value)) fail(`"${value}"`);
    next++;
  };

  const parseLevel = (level: number): ExpressionNode => {
    const operators = levels[level];
    if (operators === undefined) return parseUnary();
    let left = parseLevel(level + 1);
    for (;;) {
      const operator = operators.find(isSymbol);
      if (operator === undefined) return left;
      next++;
      left = { kind: 'call', name: operator, parts: [left, parseLevel(level + 1)] };
    }
  };

  const parseUnary = (): ExpressionNode => {
    if (++depth > MAX_DEPTH)
      throw new ExpressionError(`The expression "${text}" is nested deeper than ${MAX_DEPTH} levels.`);
    const name = isSymbol('-') ? 'negate' : isSymbol('!') ? '!' : undefined;
    if (name !== undefined) next++;
    const node: ExpressionNode =
      name === undefined ? parsePrimary() : { kind: 'call', name, parts: [parseUnary()] };
    depth--;
    return node;
  };

  const parsePrimary = (): ExpressionNode => {
    const token = peek();
    if (token.kind === 'number' || token.kind === 'text' || token.kind === 'column') {
      next++;
      if (token.kind === 'column') return { kind: 'column', name: token.value };
      return token.kind === 'number'
        ? { kind: 'number', value: token.value }
        : { kind: 'text', value: token.value };
    }
    if (token.kind === 'word') {
      next++;
      if (token.value === 'true' || token.value === 'false')
        return { kind: 'boolean', value: token.value === 'true' };
      return isSymbol('(') ? parseCall(token.value) : { kind: 'column', name: token.value };
    }
    if (!isSymbol('(')) fail('a column, a value or "("');
    next++;
    const inner = parseLevel(0);
    take(')');
    return inner;
  };

  const parseCall = (name: string): ExpressionNode => {
    const definition = Object.hasOwn(functions, name) ? functions[name] : undefined;
    if (definition === undefined) {
      const nearest = nearestWord(name, Object.keys(functions));
      throw new ExpressionError(
        `The expression "${text}" calls "${name}", which is no function.` +
          `${nearest === undefined ? '' : ` Did you mean "${nearest}"?`} There are ${Object.keys(functions).join(', ')}.`,
      );
    }
    take('(');
    const parts: ExpressionNode[] = [];
    while (!isSymbol(')')) {
      if (parts.length > 0) take(',');
      parts.push(parseLevel(0));
    }
    take(')');
    if (parts.length !== definition.arity)
      throw new ExpressionError(
        `The expression "${text}" gives ${name} ${parts.length} values, but it takes ${definition.arity}: ${definition.help}`,
      );
    return { kind: 'call', name, parts };
  };

  const node = parseLevel(0);
  if (peek().kind !== 'end') fail('an operator or the end');
  return node;
}
