// Imports the text of a module in Deno: from a blob, but not where this is a file of an installed package. Below node_modules
// Deno imports as Node does, which knows no blob: addresses.

import { importBlob } from './importBlob.ts';
import { importDataUrl } from './importDataUrl.node.ts';
import type { ImportText } from './threadPlatform.ts';

/** Positions show so much of the start and the end of a longer data: address, and dots between them. */
const LONGEST_SHOWN = 150;
const SHOWN_PART = 20;

export const importText: ImportText = (source) => {
  if (!import.meta.url.includes('/node_modules/')) return importBlob(source);
  const { url, module } = importDataUrl(source);
  return { url: asShown(url), module };
};

function asShown(url: string): string {
  if (url.length <= LONGEST_SHOWN) return url;
  return `${url.slice(0, url.indexOf(',') + 1 + SHOWN_PART)}......${url.slice(-SHOWN_PART)}`;
}
