// The words of tables that are sorted and filtered.

export const tableEn = {
  filter: 'Filter',
  shown: (from: string, to: string, found: string) => `${from}–${to} of ${found}`,
  found: (found: string, all: string) => `${found} of ${all}`,
  none: 'Nothing fits the filter.',
  clear: 'Clear',
  previous: 'Previous',
  next: 'Next',
} as const;
