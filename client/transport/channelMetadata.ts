// What a dialler says about a connection, before anything of it is proved.

/** Checked before a connection is made, and again when its channel arrives. */
export interface ChannelMetadata {
  /** Worker id of the dialler. */
  readonly from: string;
  /** Worker id of the other end. */
  readonly to: string;
  /** Run and generation; links of different groups never mix. */
  readonly group: string;
}

const MAX_NAME_CHARACTERS = 300;

export function readMetadata(metadata: unknown): ChannelMetadata | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const { from, to, group } = metadata as Record<string, unknown>;
  return isName(from) && isName(to) && isName(group) ? { from, to, group } : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_CHARACTERS;
}
