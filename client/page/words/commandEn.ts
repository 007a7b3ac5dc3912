// The words beside commands to copy.

export const commandEn = {
  copy: 'Copy',
  copied: 'Copied',
  copyLabel: (what: string) => `Copy: ${what}`,
} as const;
