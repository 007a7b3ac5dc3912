// Binds an expression to the columns of one batch: checks that types fit, and returns a function from row to value.

import type { BatchColumn } from '../../../shared/columns/columnBatch.ts';
import { ExpressionError } from './configErrors.ts';
import { functions } from './functions.ts';
import type { ExpressionNode } from './syntaxTree.ts';

/** Numbers and booleans (0 or 1) have NaN for missing; text has null. */
export type BoundExpression =
  | { readonly type: 'number' | 'boolean'; readonly at: (row: number) => number }
  | { readonly type: 'text'; readonly at: (row: number) => string | null };

type BoundNumber = Extract<BoundExpression, { type: 'number' | 'boolean' }>;

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const ordering: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** @throws ExpressionError when an operator or function gets values of a type it does not take. */
export function bindExpression(node: ExpressionNode, column: (name: string) => BatchColumn): BoundExpression {
  switch (node.kind) {
    case 'number':
      return { type: 'number', at: () => node.value };
    case 'boolean':
      return { type: 'boolean', at: () => Number(node.value) };
    case 'text':
      return { type: 'text', at: () => node.value };
    case 'column':
      return bindColumn(column(node.name));
    case 'call':
      break;
  }
  const parts = node.parts.map((part) => bindExpression(part, column));
  return bindCall(node.name, parts);
}

function bindColumn(column: BatchColumn): BoundExpression {
  if (column.kind === 'categorical') {
    const { codes, dictionary } = column;
    return { type: 'text', at: (row) => dictionary[codes[row] ?? -1] ?? null };
  }
  const { values, valid } = column;
  const type = column.meaning === 'boolean' ? 'boolean' : 'number';
  if (valid === undefined) return { type, at: (row) => values[row] ?? Number.NaN };
  return { type, at: (row) => (valid[row] === 1 ? (values[row] ?? Number.NaN) : Number.NaN) };
}

function bindCall(name: string, parts: readonly BoundExpression[]): BoundExpression {
  const [a, b, c] = parts;
  if (name === 'if' && a !== undefined && b !== undefined && c !== undefined) return bindIf(a, b, c);
  if (name === 'isMissing' && a !== undefined) {
    return a.type === 'text'
      ? { type: 'boolean', at: (row) => Number(a.at(row) === null) }
      : { type: 'boolean', at: (row) => Number(Number.isNaN(a.at(row))) };
  }
  if ((name === '==' || name === '!=') && a !== undefined && b !== undefined)
    return bindEquality(name === '==', a, b);
  return bindNumeric(
    name,
    parts.map((part) => numeric(name, part)),
  );
}

function bindNumeric(name: string, parts: readonly BoundNumber[]): BoundNumber {
  const none: BoundNumber = { type: 'number', at: () => Number.NaN };
  const [a = none, b = none] = parts;
  const combine = arithmetic[name];
  if (combine !== undefined) return { type: 'number', at: (row) => combine(a.at(row), b.at(row)) };
  const compare = ordering[name];
  if (compare !== undefined) return { type: 'boolean', at: (row) => truth(a.at(row), b.at(row), compare) };
  switch (name) {
    case 'negate':
      return { type: 'number', at: (row) => -a.at(row) };
    case '!':
      return {
        type: 'boolean',
        at: (row) => (Number.isNaN(a.at(row)) ? Number.NaN : Number(a.at(row) === 0)),
      };
    case '&&':
      return { type: 'boolean', at: (row) => both(a.at(row), b.at(row)) };
    case '||':
      return { type: 'boolean', at: (row) => 1 - both(1 - bit(a.at(row)), 1 - bit(b.at(row))) };
    default: {
      const apply = functions[name]?.apply;
      if (apply === undefined) throw new ExpressionError(`"${name}" is no operator or function.`);
      if (parts.length === 1) return { type: 'number', at: (row) => apply(a.at(row)) };
      return { type: 'number', at: (row) => apply(a.at(row), b.at(row)) };
    }
  }
}

function truth(a: number, b: number, compare: (a: number, b: number) => boolean): number {
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : Number(compare(a, b));
}

function bit(value: number): number {
  return Number.isNaN(value) ? value : Number(value !== 0);
}

/** Conjunction of three-valued logic, as in SQL: false wins over missing. */
function both(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 1;
}

function bindEquality(equal: boolean, a: BoundExpression, b: BoundExpression): BoundNumber {
  if (a.type === 'text' && b.type === 'text') {
    return {
      type: 'boolean',
      at(row) {
        const left = a.at(row);
        const right = b.at(row);
        return left === null || right === null ? Number.NaN : Number((left === right) === equal);
      },
    };
  }
  if (a.type === 'text' || b.type === 'text')
    throw new ExpressionError('Text can be compared with text alone, but the other side is a number.');
  return { type: 'boolean', at: (row) => truth(a.at(row), b.at(row), (x, y) => (x === y) === equal) };
}

function bindIf(condition: BoundExpression, yes: BoundExpression, no: BoundExpression): BoundExpression {
  const test = numeric('if', condition);
  if (yes.type === 'text' && no.type === 'text')
    return {
      type: 'text',
      at(row) {
        const value = test.at(row);
        if (Number.isNaN(value)) return null;
        return value === 0 ? no.at(row) : yes.at(row);
      },
    };
  if (yes.type === 'text' || no.type === 'text')
    throw new ExpressionError('Both values of "if" must be text, or both numbers.');
  return {
    type: yes.type === 'boolean' && no.type === 'boolean' ? 'boolean' : 'number',
    at(row) {
      const value = test.at(row);
      if (Number.isNaN(value)) return Number.NaN;
      return value === 0 ? no.at(row) : yes.at(row);
    },
  };
}

function numeric(name: string, part: BoundExpression): BoundNumber {
  if (part.type === 'text') throw new ExpressionError(`"${name}" takes numbers, but was given text.`);
  return part;
}
