// Where people get the certificate of a self-made authority, with what to do with it on each system.

import type { AuthorityCertificate } from '../../tls/tlsSource.ts';
import { shownFingerprint } from '../../tls/fingerprint.ts';
import { answerText } from '../answers.ts';
import type { Route } from '../route.ts';

const systems: readonly { readonly name: string; readonly steps: string }[] = [
  {
    name: 'Windows',
    steps:
      'Open the file, choose "Install Certificate", "Local Machine" or "Current User", then "Place all certificates in the following store": Trusted Root Certification Authorities.',
  },
  {
    name: 'macOS',
    steps:
      'Open the file, which puts it into Keychain Access. Double-click it there, and under "Trust" choose "Always Trust" for SSL.',
  },
  {
    name: 'Linux, Chrome and Chromium',
    steps:
      'Settings, "Privacy and security", "Security", "Manage certificates", then import it under authorities and trust it for identifying websites.',
  },
  {
    name: 'Firefox, everywhere',
    steps:
      'Settings, "Privacy & Security", "View Certificates", "Authorities", "Import", then trust it to identify websites.',
  },
  {
    name: 'Android',
    steps:
      'Settings, "Security", "Encryption & credentials", "Install a certificate", "CA certificate", then choose the file.',
  },
  {
    name: 'iPhone and iPad',
    steps:
      'Open the file in Safari. Settings, "General", "VPN & Device Management": install the profile. Then "General", "About", "Certificate Trust Settings": switch it on.',
  },
];

/** Open to everybody: a certificate is no secret. */
export function authorityRoutes({ pem, der, fingerprint }: AuthorityCertificate): Route[] {
  const route = (path: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    access: 'public',
    traffic: 'page',
    handle,
  });
  return [
    route('/authority', ({ response }) =>
      answerText(response, 200, 'text/html; charset=utf-8', page(fingerprint)),
    ),
    route('/authority.pem', ({ response }) => answerText(response, 200, 'application/x-pem-file', pem)),
    route('/authority.crt', ({ request, response }) => {
      // The type at which systems offer to install it.
      response.writeHead(200, {
        'Content-Type': 'application/x-x509-ca-cert',
        'Content-Length': der.byteLength,
        'Content-Disposition': 'attachment; filename="tabgrad-authority.crt"',
        'Cache-Control': 'no-store',
      });
      response.end(request.method === 'HEAD' ? undefined : der);
    }),
  ];
}

function page(fingerprint: string): string {
  const sections = systems.map(
    ({ name, steps }) => `<h2>${name}</h2>\n<p>${steps.replaceAll('&', '&amp;')}</p>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Trust this coordinator</title>
<h1>Trust this coordinator</h1>
<p>Browsers lend their GPU to encrypted pages alone. The certificate of this one comes from an authority that the coordinator
made for itself, so your browser does not know it yet.</p>
<p>1. <a href="authority.crt" download>Download the certificate</a>.</p>
<p>2. Compare its SHA-256 fingerprint with the one that whoever runs the coordinator tells you, not with this page:</p>
<pre>${shownFingerprint(fingerprint).replace(/^(.{48})/, '$1\n')}</pre>
<p>3. Install it as below. Remove it the same way when you no longer take part: whoever holds its key can pretend to be any
site to browsers that trust it.</p>
<p>Node and Deno workers need no installing: <code>tabgrad worker --url ADDRESS --ca-fingerprint ${fingerprint}</code></p>
${sections.join('\n')}
</html>
`;
}
