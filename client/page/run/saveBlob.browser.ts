// Gives a file to the browser's downloads. It was fetched with the token in a header: a link would have it in its address.

/** Long enough for the browser to have taken it. */
const KEPT_MS = 60_000;

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** A name that every system takes. */
export function fileName(run: string, rest: string): string {
  const plain = run
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/^[.-]+|-+$/g, '')
    .slice(0, 80);
  return `${plain === '' ? 'run' : plain}${rest}`;
}
