// The link that a coordinator prints for volunteers, as an address: people paste it wherever an address is asked for.

export interface CoordinatorLink {
  /** The coordinator's own address. */
  readonly url: string;
  /** The token in the link's fragment. */
  readonly joinToken?: string;
}

/** Takes http://host:7070/join#token=… and any other address, which stays as it is. */
export function readJoinLink(link: string): CoordinatorLink {
  if (!URL.canParse(link)) return { url: link };
  const { origin, pathname, hash } = new URL(link);
  const isLink = /\/join\/?$/.test(pathname);
  if (!isLink && hash === '') return { url: link };
  const joinToken = new URLSearchParams(hash.slice(1)).get('token');
  const url = origin + pathname.replace(isLink ? /\/join\/?$/ : /\/$/, '');
  return { url, ...(joinToken !== null && joinToken !== '' && { joinToken }) };
}
