// Prints the table of attacks: what was tried, what it did, what it may do at most, and whether that held.

import type { Reporter, TestModule } from 'vitest/node';
import './figures.ts';

const verdicts = { passed: 'held', failed: 'BROKEN', skipped: 'not run', pending: 'not run' } as const;

export class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => {
        const figures = (test.meta().figures ?? []).map(
          ({ what, value, atMost, unit }) =>
            `${what} ${rounded(value)} of at most ${rounded(atMost)} ${unit}`,
        );
        const verdict = verdicts[test.result().state];
        return [verdict, test.fullName, figures.join('; ')];
      }),
    );
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
    const lines = rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '));
    process.stdout.write(`\n${lines.map((line) => line.trimEnd()).join('\n')}\n`);
  }
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}
