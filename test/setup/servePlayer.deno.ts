// The other end of openDenoPlayer: a value a line on standard input, the answer a line on standard output.

export async function servePlayer(play: (value: never) => Promise<unknown>): Promise<void> {
  const { stdin } = (globalThis as unknown as { Deno: { stdin: { readable: ReadableStream<BufferSource> } } })
    .Deno;
  let rest = '';
  for await (const text of stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) console.log(JSON.stringify(await play(JSON.parse(line) as never)));
  }
}
