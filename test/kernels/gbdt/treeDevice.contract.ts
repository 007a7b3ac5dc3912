// What any TreeDevice must do, run over every implementation and runtime. Numbers must be equal, not close.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createNaiveDevice } from './naiveDevice.ts';
import type { Transcript } from './playScenario.ts';
import { firstDifference, playScenario } from './playScenario.ts';
import type { Scenario } from './scenarios.ts';
import { scenarios, specOf } from './scenarios.ts';

/** Plays scenarios somewhere: in this process, another runtime, a browser tab. */
export interface ScenarioPlayer {
  play(scenario: Scenario): Promise<Transcript>;
  close(): Promise<void>;
}

/** What the naive device says; worked out once for all suites of a file. */
const expectations = new Map<Scenario, Promise<Transcript>>();
function expectedOf(scenario: Scenario): Promise<Transcript> {
  const known = expectations.get(scenario) ?? playScenario(createNaiveDevice(specOf(scenario)), scenario);
  expectations.set(scenario, known);
  return known;
}

export function treeDeviceContract(title: string, open: () => Promise<ScenarioPlayer>): void {
  describe(`${title} answers as the naive device does`, () => {
    let player: ScenarioPlayer;
    beforeAll(async () => {
      player = await open();
    });
    afterAll(async () => {
      await player.close();
    });
    it.each(scenarios.map((scenario) => [scenario.title, scenario] as const))(
      'with %s',
      async (_, scenario) => {
        const actual = await player.play(scenario);
        const expected = await expectedOf(scenario);
        expect(firstDifference(actual, expected)).toBeUndefined();
      },
    );
  });
}
