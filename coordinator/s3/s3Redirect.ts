// Redirects of S3: a signature is good for one host alone, and so are the session's token and the answer. Amazon sends
// requests for a bucket of another region on; those are signed anew for that region's host, and nothing else is followed.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html

import { RedirectRefusedError, redirectTarget } from '../http/redirect.ts';

export interface S3Redirect {
  readonly url: URL;
  /** Region to sign for, where it is another one. */
  readonly region: string | undefined;
}

export interface S3RedirectAnswer {
  readonly status: number;
  /** Value of a header, null where there is none. */
  readonly header: (name: string) => string | null;
}

/** Amazon's hosts: with the bucket or without, of a region or of none. */
const AMAZON = /^((?:.+\.)?s3)(?:[.-]([a-z0-9-]+))?(\.amazonaws\.com(?:\.cn)?)$/;
const REGION = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;

/**
 * Where a request for `name` goes next.
 * @param isSigned whether it carries a signature; others may go anywhere.
 * @throws RedirectRefusedError naming both hosts.
 */
export function s3Redirect(from: URL, answer: S3RedirectAnswer, name: string, isSigned: boolean): S3Redirect {
  const location = answer.header('location');
  const target = location === null ? undefined : redirectTarget(from, answer.status, location);
  const region = answer.header('x-amz-bucket-region') ?? regionOf(target);
  const regional = region === undefined ? undefined : atRegion(from, region);
  if (regional !== undefined && regional.host !== from.host) return { url: regional, region };
  if (target !== undefined && (!isSigned || target.origin === from.origin))
    return { url: target, region: undefined };
  throw new RedirectRefusedError(
    `${from.host} answers for ${name} with a redirect (status ${answer.status}) ` +
      (target === undefined ? 'without an address' : `to ${target.host}`) +
      (region === undefined ? '' : `; the bucket is in the region ${region.slice(0, 50)}`) +
      '. ' +
      'A signature is good for one host: give the endpoint or the region of the bucket.',
    { file: name },
  );
}

/** The same request at the host of another region; undefined where the host is not Amazon's or has no regions. */
export function atRegion(url: URL, region: string): URL | undefined {
  const [, service, , domain] = AMAZON.exec(url.hostname) ?? [];
  if (service === undefined || !REGION.test(region) || url.protocol !== 'https:') return undefined;
  const moved = new URL(url);
  moved.hostname = `${service}.${region}${domain}`;
  return moved;
}

function regionOf(url: URL | undefined): string | undefined {
  const [, , region] = AMAZON.exec(url?.hostname ?? '') ?? [];
  return region;
}
