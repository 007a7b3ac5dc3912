// Whom a WebRTC connection is with: DTLS accepts no other certificate than one whose fingerprint is in the session
// description of its end (RFC 8122).

const FINGERPRINT = /^a=fingerprint:(\S+) +([0-9A-Fa-f:]+)\s*$/gm;

/**
 * All fingerprints of a session description (SDP), each once and in one order: where there are several, any of them will
 * do. "" when there are none.
 */
export function certificateFingerprints(sdp: string): string {
  const found = [...sdp.matchAll(FINGERPRINT)].map(
    ([, algorithm = '', digest = '']) => `${algorithm.toLowerCase()} ${digest.toUpperCase()}`,
  );
  return [...new Set(found)].sort().join(', ');
}
