// Imports the text of a module in Node, which imports no blob: addresses.

import { Buffer } from 'node:buffer';
import type { ImportText } from './threadPlatform.ts';

export const importDataUrl: ImportText = (source) => {
  const url = `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
  return { url, module: import(url) };
};
