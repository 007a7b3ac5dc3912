// The layers of a net: what comes out of each, its parameters and memory, and its time where a step was profiled.

import type { JSX } from 'preact';
import type { LayersAnswer } from '../../../shared/api/runModel.ts';
import { Card, Scroll } from '../design/parts.browser.tsx';
import { runEn } from '../words/runEn.ts';
import { bytes, count, numberWords } from '../words/statusWords.ts';
import { runPath, type Api } from '../owner/api.browser.ts';
import { useAnswer } from './useAnswer.browser.ts';

const words = runEn.layers;

interface LayersCardProps {
  readonly api: Api;
  readonly runId: string;
  /** Asked for anew when the profile is there. */
  readonly isProfiled: boolean;
}

export function LayersCard({ api, runId, isProfiled }: LayersCardProps): JSX.Element {
  const { answer, problem } = useAnswer<LayersAnswer>(api, runPath(runId, '/layers'), Number(isProfiled));
  return (
    <Card title={words.title} id="layers-title">
      {problem !== undefined && <p class="problem">{problem}</p>}
      {!answer && problem === undefined && <p class="note">{runEn.load}</p>}
      {answer && <Layers answer={answer} />}
    </Card>
  );
}

function Layers({ answer }: { readonly answer: LayersAnswer }): JSX.Element {
  const { layers, parameters, note, profiledStep } = answer;
  if (layers.length === 0) return <p class="note">{note}</p>;
  const isTimed = profiledStep !== undefined;
  const ms = (value: number | undefined): string => (value === undefined ? '' : `${numberWords(value)} ms`);
  return (
    <>
      <p class="note">
        {words.all(count(parameters))} {isTimed ? words.profiled(count(profiledStep)) : words.unprofiled}{' '}
        {note}
      </p>
      <Scroll kind="tall">
        <table id="layers">
          <thead>
            <tr>
              <th scope="col">{words.layer}</th>
              <th scope="col">{words.type}</th>
              <th scope="col">{words.shape}</th>
              {[
                words.parameters,
                words.state,
                words.output,
                ...(isTimed ? [words.forward, words.backward] : []),
              ].map((title) => (
                <th key={title} scope="col" class="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {layers.map((layer) => (
              <tr key={layer.name}>
                <th scope="row">{layer.name}</th>
                <td>{layer.type}</td>
                <td>{layer.shape.join(' × ')}</td>
                <td class="number">{count(layer.parameters)}</td>
                <td class="number">{bytes(layer.stateBytes)}</td>
                <td class="number">{bytes(layer.outputBytes)}</td>
                {isTimed && <td class="number">{ms(layer.forwardMs)}</td>}
                {isTimed && <td class="number">{ms(layer.backwardMs)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </>
  );
}
