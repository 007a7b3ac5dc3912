// A browser for local tabs where none is installed: the headless Chromium that the npm package @sparticuz/chromium
// carries, unpacked once. It brings SwiftShader (a software Vulkan driver) and the libraries that a bare Debian lacks,
// so Node's WebGPU uses them too.

import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { brotliDecompress, createBrotliDecompress } from 'node:zlib';
import { TabgradError } from '../../../kernels/errors.ts';
import { tarEntries } from './tarEntries.ts';

/** No browser could be found or unpacked on this machine. */
export class BrowserMissingError extends TabgradError {
  readonly code = 'BROWSER_MISSING';
}

export interface UnpackedChromium {
  readonly executablePath: string;
  /** Vulkan driver manifest of SwiftShader, for VK_ICD_FILENAMES. */
  readonly swiftshaderIcd: string;
  /** Folder with libvulkan and the NSS libraries, for LD_LIBRARY_PATH. */
  readonly libraryPath: string;
  /** Folder with a fonts.conf, for FONTCONFIG_PATH on machines without fonts. */
  readonly fontsPath: string;
}

const executable = 'chromium';
const swiftshaderIcd = 'vk_swiftshader_icd.json';
/** Written last: names and sizes of everything unpacked, so that a damaged cache is noticed. */
const manifestName = 'unpacked.json';

/**
 * Unpacks Chromium, SwiftShader, NSS and a font into node_modules/.cache/tabgrad, or finds what an earlier call left
 * there. Safe when several processes do it at once: each unpacks into a folder of its own, and one rename wins.
 * @throws BrowserMissingError when the package is not installed, is not for this system, or cannot be unpacked.
 */
export async function unpackChromium(): Promise<UnpackedChromium> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new BrowserMissingError(
      `The Chromium in @sparticuz/chromium is for Linux on x64, this is ${process.platform} on ${process.arch}. ` +
        'Install Chrome or Chromium, or set TABGRAD_BROWSER to its executable.',
    );
  }
  const { binFolder, cacheFolder } = await locatePackage();
  if (!(await isComplete(cacheFolder))) {
    try {
      await unpackInto(binFolder, cacheFolder);
    } catch (cause) {
      throw new BrowserMissingError(
        `Chromium could not be unpacked into ${cacheFolder}: ${String(cause)}`,
        { file: cacheFolder },
        { cause },
      );
    }
  }
  // Readable as other packages are: the browser of a process that is root runs under another account.
  await chmod(cacheFolder, 0o755).catch(() => undefined);
  return {
    executablePath: join(cacheFolder, executable),
    swiftshaderIcd: join(cacheFolder, swiftshaderIcd),
    libraryPath: cacheFolder,
    fontsPath: cacheFolder,
  };
}

async function locatePackage(): Promise<{ binFolder: string; cacheFolder: string }> {
  try {
    const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
    const folder = entry.slice(0, entry.lastIndexOf(join('@sparticuz', 'chromium')));
    const packageFolder = join(folder, '@sparticuz', 'chromium');
    const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as {
      version: string;
    };
    return {
      binFolder: join(packageFolder, 'bin'),
      cacheFolder: join(folder, '.cache', 'tabgrad', `chromium-${version}`),
    };
  } catch (cause) {
    throw new BrowserMissingError(
      'No browser found: install Chrome or Chromium, set TABGRAD_BROWSER to an executable, ' +
        'or run `npm install @sparticuz/chromium`.',
      {},
      { cause },
    );
  }
}

async function isComplete(folder: string): Promise<boolean> {
  try {
    const sizes = JSON.parse(await readFile(join(folder, manifestName), 'utf8')) as Record<string, number>;
    const checks = Object.entries(sizes).map(
      async ([name, sizeBytes]) => (await stat(join(folder, name))).size === sizeBytes,
    );
    return (await Promise.all(checks)).every(Boolean);
  } catch {
    return false;
  }
}

async function unpackInto(binFolder: string, cacheFolder: string): Promise<void> {
  await mkdir(dirname(cacheFolder), { recursive: true });
  const folder = await mkdtemp(`${cacheFolder}-unpacking-`);
  try {
    const sizes: Record<string, number> = {};
    await pipeline(
      createReadStream(join(binFolder, 'chromium.br')),
      createBrotliDecompress(),
      createWriteStream(join(folder, executable), { mode: 0o755 }),
    );
    sizes[executable] = (await stat(join(folder, executable))).size;
    for (const archive of ['swiftshader.tar.br', 'al2023.tar.br', 'fonts.tar.br']) {
      const packed = await readFile(join(binFolder, archive));
      for (const entry of tarEntries(await promisify(brotliDecompress)(packed))) {
        if (basename(entry.path) === 'fonts.conf') continue;
        // Flat: the loader finds Chromium's own libraries beside it, and LD_LIBRARY_PATH names one folder.
        const name = basename(entry.path);
        await writeFile(join(folder, name), entry.content, { mode: entry.executable ? 0o755 : 0o644 });
        sizes[name] = entry.content.length;
      }
    }
    const fonts = fontsConfiguration(cacheFolder);
    await writeFile(join(folder, 'fonts.conf'), fonts);
    sizes['fonts.conf'] = Buffer.byteLength(fonts);
    await writeFile(join(folder, manifestName), JSON.stringify(sizes));
    if (!(await isComplete(folder))) throw new Error('The unpacked files do not have the expected sizes.');
    await putInPlace(folder, cacheFolder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Renames the finished folder to its final name, unless another process was first. A damaged one gives way. */
async function putInPlace(folder: string, cacheFolder: string): Promise<void> {
  try {
    await rename(folder, cacheFolder);
  } catch (error) {
    if (await isComplete(cacheFolder)) return;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    const damaged = `${folder}-damaged`;
    await rename(cacheFolder, damaged);
    await rm(damaged, { recursive: true, force: true });
    await rename(folder, cacheFolder);
  }
}

function fontsConfiguration(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <cachedir>${join(folder, 'fontconfig')}</cachedir>
</fontconfig>
`;
}
