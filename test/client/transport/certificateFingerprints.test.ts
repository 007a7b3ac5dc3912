import { expect, it } from 'vitest';
import { certificateFingerprints } from '../../../client/transport/peerJsConnection.ts';

const digest = Array.from({ length: 32 }, (_, at) => at.toString(16).padStart(2, '0')).join(':');
const upper = `sha-256 ${digest.toUpperCase()}`;

const media = 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n';
const session = 'v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

it.each([
  [
    'in the media, as Chromium and Safari have it',
    `${session}${media}a=fingerprint:sha-256 ${digest.toUpperCase()}\r\n`,
  ],
  [
    'in the session, as Firefox has it',
    `${session}a=fingerprint:sha-256 ${digest.toUpperCase()}\r\n${media}`,
  ],
  ['in small letters', `${session}${media}a=fingerprint:SHA-256 ${digest}\r\n`],
  [
    'twice',
    `${session}a=fingerprint:sha-256 ${digest}\r\n${media}a=fingerprint:sha-256 ${digest.toUpperCase()}\r\n`,
  ],
  ['with plain line ends', `${session}${media}a=fingerprint:sha-256 ${digest}\n`.replaceAll('\r', '')],
])('finds the fingerprint of a session description %s', (_, sdp) => {
  expect(certificateFingerprints(sdp)).toBe(upper);
});

it('finds all of them, in one order: a connection would take any', () => {
  const line = (name: string): string => `a=fingerprint:sha-1 ${name}\r\n`;
  const both = certificateFingerprints(session + line('BB:BB') + media + line('AA:AA'));
  expect(both).toBe('sha-1 AA:AA, sha-1 BB:BB');
  expect(certificateFingerprints(session + line('AA:AA') + media + line('BB:BB'))).toBe(both);
});

it('finds none where there is none, nor in the middle of other lines', () => {
  expect(certificateFingerprints('')).toBe('');
  expect(certificateFingerprints(session + media)).toBe('');
  expect(certificateFingerprints(`s=a=fingerprint:sha-1 AA:AA\r\n`)).toBe('');
});
