// What an expression means: constants, columns, and operators and functions applied to them.

export type ExpressionNode =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'column'; readonly name: string }
  /** Operators are calls too; their names are symbols, and a unary minus is "negate". */
  | { readonly kind: 'call'; readonly name: string; readonly parts: readonly ExpressionNode[] };

/** The columns that an expression reads, each once, in order of appearance. */
export function columnsRead(node: ExpressionNode): string[] {
  if (node.kind === 'column') return [node.name];
  if (node.kind !== 'call') return [];
  return [...new Set(node.parts.flatMap(columnsRead))];
}
