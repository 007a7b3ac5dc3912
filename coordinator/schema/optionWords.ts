// Schemas of the values that options of many kinds share.

import { z } from 'zod';

/** Largest whole number that an option takes where nothing else bounds it. */
const MOST = 2 ** 31;

/** A whole number. */
export const wholeFrom = (min: number, max = MOST) => z.number().int().min(min).max(max);
export const above0 = z.number().positive();
/** From 0 and below 1. */
export const belowOne = z.number().min(0).lt(1);
export const seed = wholeFrom(0);
/** Of a file or folder. */
export const path = z.string().min(1);
export const columnName = z.string().min(1).max(512);
export const columnList = z.array(columnName).min(1).max(100_000).readonly();
/** Name of a run or experiment, and of its folder. */
export const folderName = z
  .string()
  .regex(/^(?!\.+$)[\w.-]{1,100}$/, 'expected letters, digits, "_", "-" and "." only, at most 100');
export const failureConfig = z.strictObject({
  maxFailures: wholeFrom(-1).default(0).describe('Failures that are forgiven; -1 forgives any.'),
});

/** A record of datasets; `title` says in messages what each must be. */
export function namedDatasets<T extends object>(title: string, isNeeded: boolean) {
  return z
    .custom<Readonly<Record<string, T>>>((value) => typeof value === 'object' && value !== null)
    .meta({ title: `an object with ${title} by name` })
    .superRefine((datasets, context) => {
      const names = Object.keys(datasets);
      if (isNeeded && !names.includes('train'))
        context.addIssue({ code: 'custom', message: 'needs an entry named "train"' });
      for (const name of names) {
        if (/^[\w.-]{1,64}$/.test(name)) continue;
        const message = `has the name "${name.slice(0, 100)}"; expected letters, digits, "_", "-", "."`;
        context.addIssue({ code: 'custom', message });
      }
    });
}

/** Whether the text is the origin of web pages as browsers send it, e.g. "https://example.org". */
export function isOrigin(text: string): boolean {
  const isWritten = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s]+$/.test(text) && URL.canParse(text);
  return isWritten && ['null', text].includes(new URL(text).origin);
}
