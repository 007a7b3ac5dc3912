// Where people get the certificate of a self-made authority, with what to do with it on each system.

import { createHash } from 'node:crypto';
import type { AuthorityCertificate } from '../tls/tlsSource.ts';
import { shownFingerprint } from '../tls/fingerprint.ts';
import type { Route } from '../http/route.ts';
import { NotFoundError } from '../../http/httpErrors.ts';

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

/** Looks as the page of volunteers does (client/page/join.css), which these people come from. */
const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, 'Open Sans', sans-serif; }
body { margin: 0; background: light-dark(#f5f6f8, #14161a); color: light-dark(#1a1d23, #eceef2); }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
section { margin-top: 1rem; padding: 0.25rem 1.25rem 0.75rem; border: 1px solid light-dark(#dfe2e8, #343943); border-radius: 12px;
  background: light-dark(#ffffff, #1d2026); }
h1 { margin: 0 0 0.4rem; font-size: 1.75rem; line-height: 1.2; }
h2 { margin: 1rem 0 0; font-size: 1.125rem; }
h2 + p { margin: 0.25rem 0 0; }
li { margin: 0.75rem 0; }
a, .brand { color: light-dark(#1d4ed8, #7aa2ff); }
.brand { margin: 0; font-weight: 700; }
pre, code { font: 0.875rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
pre { margin: 0.5rem 0 0; }
`;

/** Its own style and a download, and nothing else. */
const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; sandbox allow-downloads`;

/**
 * Open to everybody: a certificate is no secret.
 * @param current asked at each request, since an authority is made anew before it ends.
 */
export function authorityRoutes(current: () => AuthorityCertificate | undefined): Route[] {
  const authority = (): AuthorityCertificate => {
    const found = current();
    if (!found) throw new NotFoundError('This coordinator has no authority of its own');
    return found;
  };
  const route = (path: string, handle: Route['handle']): Route => ({
    method: 'GET',
    path,
    access: 'public',
    traffic: 'page',
    handle,
  });
  return [
    route('/authority', (exchange) => {
      const { fingerprint } = authority();
      exchange.response.setHeader('Content-Security-Policy', pagePolicy);
      exchange.text(200, 'text/html; charset=utf-8', page(fingerprint));
    }),
    route('/authority.pem', (exchange) => exchange.text(200, 'application/x-pem-file', authority().pem)),
    route('/authority.crt', (exchange) => {
      const headers = {
        // The type at which systems offer to install it.
        'content-type': 'application/x-x509-ca-cert',
        'content-disposition': 'attachment; filename="tabgrad-authority.crt"',
        'cache-control': 'no-store',
      };
      exchange.answer(200, headers, authority().der);
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
<style>${style}</style>
<main>
<p class="brand">tabgrad</p>
<h1>Trust this coordinator</h1>
<p>Browsers lend their GPU to encrypted pages alone. The certificate of this one comes from an authority that the coordinator
made for itself, so your browser does not know it yet.</p>
<section>
<ol>
<li><a href="authority.crt" download>Download the certificate</a>.</li>
<li>Compare its SHA-256 fingerprint with the one that whoever runs the coordinator tells you, not with this page:
<pre>${shownFingerprint(fingerprint).replace(/^(.{48})/, '$1\n')}</pre></li>
<li>Install it as below. It may vouch for this machine's names and for addresses of local networks, and for no other site.
Remove it the same way when you no longer take part.</li>
</ol>
<p>Node and Deno workers need no installing: <code>tabgrad worker --url ADDRESS --ca-fingerprint ${fingerprint}</code></p>
</section>
<section>
${sections.join('\n')}
</section>
</main>
</html>
`;
}
