// `tabgrad predict` on a pool with a liar in it: the file is right, and who lied is told.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startCoordinator } from '../../../coordinator/core/server/coordinator.ts';
import { handMadeVolunteer } from '../program/handMadeVolunteer.ts';
import { flights, makeServedModels, oracleColumns } from '../serve/servedModels.ts';
import { offByABit } from '../program/offByABit.ts';
import { runTabgrad } from './runTabgrad.ts';

it('tabgrad predict names who lied, and what it predicted is predicted again', async () => {
  const models = makeServedModels();
  const folder = mkdtempSync(join(tmpdir(), 'tabgrad-predict-liars-'));
  const coordinator = await startCoordinator({ port: 0, log: () => undefined });
  try {
    await using liar = await handMadeVolunteer(coordinator, offByABit);
    await using honest = await handMadeVolunteer(coordinator);
    const rows = flights(500);
    const columns = ['distance', 'hour', 'carrier'] as const;
    const lines = rows.map((row) => columns.map((name) => row[name] ?? '').join(','));
    writeFileSync(join(folder, 'rows.csv'), `${columns.join(',')}\n${lines.join('\n')}\n`);
    const words = ['predict', '--checkpoint', models.late.checkpoint.modelPath, '--data', 'rows.csv'];
    const where = ['--url', coordinator.url, '--batch-size', '10', '--out', 'out.csv'];
    const env = { TABGRAD_ADMIN_TOKEN: coordinator.tokens.admin };
    const ended = await runTabgrad([...words, ...where], { cwd: folder, env });
    expect([ended.code, ended.stderr]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^warning: ${liar.workerId} lied; \\d+ rows were predicted again by others\\.\\n$`),
      ),
    ]);
    const expected = models.late.checkpoint.toPredictor().predict(oracleColumns(rows), rows.length);
    const [head, ...written] = readFileSync(join(folder, 'out.csv'), 'utf8').trim().split('\n');
    expect(head).toBe('distance,hour,carrier,predictions');
    expect(written.map((line) => Math.fround(Number(line.split(',')[3])))).toEqual([...expected]);
    expect(honest.calls).toBeGreaterThan(40);
  } finally {
    await coordinator.close();
    models.remove();
    rmSync(folder, { recursive: true });
  }
});
