// Bundles a test's source for a runtime that doesn't read TypeScript from this tree: a browser tab, Deno.

import { rolldown } from 'rolldown';

/** One script with everything in it; `iife` for a page's script tag, platform `node` where it imports Node's modules. */
export async function bundleForRuntime(
  entry: string,
  format: 'esm' | 'iife',
  platform: 'browser' | 'node' = 'browser',
): Promise<string> {
  const bundle = await rolldown({ input: entry, platform, logLevel: 'warn' });
  try {
    const { output } = await bundle.generate({ format });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
