// Imports the text of a module where blob: addresses can be imported: tabs and Deno.

import type { ImportText } from './threadPlatform.ts';

export const importBlob: ImportText = (source) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  return { url, module: import(/* @vite-ignore */ url) };
};
