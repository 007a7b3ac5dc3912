// The best model behind an HTTP port, asked once, as any program would ask.

import { PortInUseError } from '../../../coordinator/http/httpErrors.ts';
import { deployment, Serve } from '../../../coordinator/serve/serve.ts';
import { formatDuration } from '../../../coordinator/progress/formatNumbers.ts';
import type { Checkpoint } from '../../../coordinator/checkpoint/checkpoint.ts';
import type { Lesson } from './lesson.ts';

const REPLICAS = 2;

interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** @param flight columns of one flight, as the model knows them. */
export async function serveStep(
  { config, now, say }: Lesson,
  checkpoint: Checkpoint,
  flight: Readonly<Record<string, unknown>>,
  port: number,
): Promise<Served> {
  const serve = new Serve();
  try {
    const flights = deployment(checkpoint, { name: config.runConfig.name, numReplicas: REPLICAS });
    const run = (onPort: number) => serve.run(flights, { name: config.runConfig.name, port: onPort });
    await run(port).catch((error: unknown) => {
      if (!(error instanceof PortInUseError)) throw error;
      return run(0);
    });
    const url = serve.url!;
    say(`${REPLICAS} replicas answer at ${url}`);
    const body = JSON.stringify([flight]);
    const startedAt = now();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(10_000),
    });
    const answer = (await response.text()).trim();
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer}`);
    say(`asked      ${body}`);
    say(`answered   ${answer}   in ${formatDuration(now() - startedAt)}`);
    say(`\nTry it:    curl -s ${url} -H 'content-type: application/json' -d '${body}'`);
    return { url, close: () => serve.shutdown() };
  } catch (error) {
    await serve.shutdown();
    throw error;
  }
}
