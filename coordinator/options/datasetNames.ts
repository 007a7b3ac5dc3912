// Datasets by name, as trainers take them.

import { z } from 'zod';

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
