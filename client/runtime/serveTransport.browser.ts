// stub
export function serveTransport(_thread: Worker): () => void {
  return () => {};
}
