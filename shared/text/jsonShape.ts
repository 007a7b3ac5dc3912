// Looks over JSON before it is parsed. Deeply nested arrays and objects of very many keys take the parser, and whoever
// walks the result, many times as long as other text of the same length.

export interface JsonShape {
  /** Arrays and objects within one another. */
  readonly maxDepth: number;
  /** Keys of one object. */
  readonly maxKeys: number;
  /** Arrays and objects in all. */
  readonly maxContainers: number;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** "[" and "{" differ in this bit alone, as do "]" and "}". */
const BRACE_BIT = 0x20;
const OPENING = 0x5b;
const CLOSING = 0x5d;

/**
 * What is beyond `shape` in a text that may be JSON, as a sentence; undefined where nothing is. Takes one pass and no
 * memory. Whether the text is JSON is for the parser to say.
 */
export function beyondShape(
  text: string,
  { maxDepth, maxKeys, maxContainers }: JsonShape,
): string | undefined {
  const keys = new Uint32Array(maxDepth + 1);
  let depth = 0;
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
    } else if (code === COLON) {
      keys[depth]! += 1;
      if (keys[depth]! > maxKeys) return `An object may have ${maxKeys} keys, one has more.`;
    } else if ((code & ~BRACE_BIT) === OPENING) {
      depth += 1;
      if (depth > maxDepth) return `Arrays and objects may be nested ${maxDepth} deep, these are deeper.`;
      containers += 1;
      if (containers > maxContainers)
        return `There may be ${maxContainers} arrays and objects, there are more.`;
      keys[depth] = 0;
    } else if ((code & ~BRACE_BIT) === CLOSING && depth > 0) depth -= 1;
  }
  return undefined;
}

/** Position of the quote that ends the string that begins at `start`, or the end of the text. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}
