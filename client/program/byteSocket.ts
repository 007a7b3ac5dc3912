// The part of WebSocket that programs need; the `ws` package and the platforms' own fit.

export interface ByteSocket {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(message: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
}
