// The trained net behind an HTTP port, asked about one image by its bytes as they are in the file.

import { deployment, Serve, type Checkpoint } from '../../coordinator/index.ts';
import { PortInUseError } from '../../coordinator/http/httpErrors.ts';
import type { Digits } from './readIdx.ts';

const SIDE = 28;

export async function serveDigits(
  checkpoint: Checkpoint,
  { inputs, labels }: Digits,
  port: number,
  say: (text: string) => void,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const serve = new Serve();
  try {
    const digits = deployment(checkpoint, { name: 'digits' });
    const run = (onPort: number) => serve.run(digits, { name: 'digits', port: onPort });
    await run(port).catch((error: unknown) => {
      if (!(error instanceof PortInUseError)) throw error;
      return run(0);
    });
    const url = serve.url!;
    const image = Array.from({ length: SIDE }, (_, y) =>
      Array.from({ length: SIDE }, (_, x) => [inputs.values[y * SIDE + x]!]),
    );
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ image }]),
      signal: AbortSignal.timeout(60_000),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`${url} answered ${response.status}: ${answer.trim()}`);
    const [{ predictions: logits }] = JSON.parse(answer) as [{ predictions: number[] }];
    const said = logits.indexOf(Math.max(...logits));
    say(`served at ${url}`);
    say(`asked      the first test image, 28 × 28 bytes: [{"image": [[[0], …]]}]`);
    say(
      `answered   ${said} (it is ${labels.values[0]}); logits ${logits.map((one) => one.toFixed(1)).join(' ')}`,
    );
    return { url, close: () => serve.shutdown() };
  } catch (error) {
    await serve.shutdown();
    throw error;
  }
}
