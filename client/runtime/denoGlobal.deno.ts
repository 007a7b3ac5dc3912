// The few members of Deno's global object that are used, typed here because the project is compiled with Node's types.

interface DenoGlobal {
  readonly args: readonly string[];
  readonly env: { get(name: string): string | undefined; delete(name: string): void };
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> };
  readonly stdout: { isTerminal(): boolean; writeSync(bytes: Uint8Array): number };
  readonly stderr: { writeSync(bytes: Uint8Array): number };
  addSignalListener(signal: 'SIGINT' | 'SIGTERM', handler: () => void): void;
  exit(code: number): never;
}

export const deno = (globalThis as unknown as { Deno: DenoGlobal }).Deno;
