// Pins the images of Dockerfile and compose.yaml to the digests that their tags have now: NAME:TAG becomes NAME:TAG@sha256:…
// Needs Docker with buildx, and the registries. Run it when you deploy, and again when you change a tag:
//   node scripts/pinImages.mjs
// `node scripts/pinImages.mjs --check` changes nothing, and fails where an image has no digest.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';

const FILES = ['Dockerfile', 'compose.yaml'];
/** `ARG NAME_IMAGE=…` of the Dockerfile, `image: …` of compose.yaml with a tag; what is built here has none. */
const imageLine = /^(ARG \w+_IMAGE=|\s+image: )([\w./-]+:[\w.-]+)(@sha256:[0-9a-f]{64})?$/gm;
const isCheck = process.argv.includes('--check');

const digests = new Map();
function digestOf(image) {
  if (!digests.has(image)) {
    // Of the list of all platforms, so that the pin is good on each of them.
    const answer = execFileSync(
      'docker',
      ['buildx', 'imagetools', 'inspect', image, '--format', '{{.Manifest.Digest}}'],
      { encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'inherit'] },
    ).trim();
    if (!/^sha256:[0-9a-f]{64}$/.test(answer))
      throw new Error(`docker gave no digest of ${image}, but: ${answer.slice(0, 200)}`);
    digests.set(image, answer);
  }
  return digests.get(image);
}

// All are asked for before anything is written.
const pinned = FILES.map((file) => {
  const text = readFileSync(file, 'utf8');
  const missing = [];
  const changed = text.replaceAll(imageLine, (line, start, image, digest) => {
    if (digest === undefined) missing.push(image);
    return isCheck ? line : `${start}${image}@${digestOf(image)}`;
  });
  return { file, text, changed, missing };
});
for (const { file, text, changed } of pinned) if (changed !== text) writeFileSync(file, changed);
for (const [image, digest] of digests) console.log(`${image}@${digest}`);
const missing = pinned.flatMap(({ file, missing: images }) => images.map((image) => `${file}: ${image}`));
if (isCheck && missing.length > 0) {
  console.error(`These images have no digest:\n  ${missing.join('\n  ')}`);
  process.exitCode = 1;
}
