// Entry in Deno: a scenario a line on standard input, its transcript a line on standard output.

import type { Scenario } from './scenarios.ts';
import { scenarioPlayer } from './scenarioPlayer.ts';

const { stdin } = (globalThis as unknown as { Deno: { stdin: { readable: ReadableStream<BufferSource> } } })
  .Deno;
const play = await scenarioPlayer(navigator.gpu);
let rest = '';
for await (const text of stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) console.log(JSON.stringify(await play(JSON.parse(line) as Scenario)));
}
