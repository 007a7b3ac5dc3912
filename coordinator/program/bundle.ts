// The owner's code as it travels: one ES module that needs nothing else, and the way from positions in it to the
// owner's sources.

import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative } from 'node:path';
import { PROGRAM_FILE } from '../../shared/protocol/program.ts';

/** A position in a source: line and column count from 1. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Bundle {
  readonly bytes: Uint8Array;
  readonly exportName: string;
  /** @returns undefined for what is no code of a source, e.g. of the bundler. */
  readonly positionOf: (line: number, column: number) => SourcePosition | undefined;
}

/** @param sourceFile absolute path of a source of the map. */
export function mappedPositions(
  map: SourceMapPayload,
  sourceFile: (source: string) => string,
): Bundle['positionOf'] {
  const sources = new SourceMap(map);
  return (line, column) => {
    const entry = sources.findEntry(line - 1, column - 1);
    if (!('originalSource' in entry)) return undefined;
    return {
      file: sourceFile(entry.originalSource),
      line: entry.originalLine + 1,
      column: entry.originalColumn + 1,
    };
  };
}

/** The text with positions in the bundle replaced by those in the sources, as paths from the working directory. */
export function inSources(text: string, positionOf: Bundle['positionOf']): string {
  return text.replaceAll(bundlePosition, (there, line: string, column: string) => {
    const position = positionOf(Number(line), Number(column));
    return position === undefined ? there : shownPosition(position);
  });
}

/** Where the owner's code threw: the first position of the stack that is not of a package. */
export function firstPosition(stack: string, positionOf: Bundle['positionOf']): SourcePosition | undefined {
  const positions = [...stack.matchAll(bundlePosition)].flatMap(([, line, column]) => {
    const position = positionOf(Number(line), Number(column));
    return position ? [position] : [];
  });
  return positions.find(({ file }) => !file.includes('node_modules')) ?? positions[0];
}

export function shownPosition({ file, line, column }: SourcePosition): string {
  return `${relative(process.cwd(), file)}:${line}:${column}`;
}

const bundlePosition = new RegExp(`${PROGRAM_FILE.replace('.', '\\.')}:(\\d+):(\\d+)`, 'g');
