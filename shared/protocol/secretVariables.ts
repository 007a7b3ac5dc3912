// Variables of the environment that hold tokens and passwords: no owner's code may see them. Workers take them out of
// their environment once they have read them, and are started without those that are not theirs.

export const secretVariables: readonly string[] = [
  'TABGRAD_TOKEN',
  'TABGRAD_ADMIN_TOKEN',
  'TABGRAD_API_KEY',
  'TABGRAD_DATABASE_URL',
  'TABGRAD_TURN_SECRET',
];
