// Finds out which packages went into the bundles, and writes their licences, which have to travel with them.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of a package, in the id of a module. */
const packageModule = /^\0*((.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\/[^?]*)/;
const licenceFile = /^(licen[cs]e|copying|notice|copyright)/i;
const rule = '-'.repeat(80);

export class BundledPackages {
  /** Folders of packages, and the modules of each that are in bundles. */
  #modules = new Map();

  /** Sees what a build puts into its files; workers of pages need one of their own. */
  plugin() {
    return {
      name: 'bundled-packages',
      generateBundle: (_options, files) => {
        for (const { modules = {} } of Object.values(files))
          for (const id of Object.keys(modules)) {
            const [, file, folder] = packageModule.exec(id) ?? [];
            if (folder === undefined) continue;
            if (!this.#modules.has(folder)) this.#modules.set(folder, new Set());
            this.#modules.get(folder).add(file);
          }
      },
    };
  }

  /** @throws Error when the terms of a package's licence are nowhere to be found. */
  writeLicences(file) {
    const packages = [...this.#modules].map(readPackage);
    packages.sort((a, b) => (a.title < b.title ? -1 : 1));
    const texts = packages.map((one) => `${one.title}\n\n${one.text ?? termsFor(one, packages)}`);
    const head =
      'The files beside this one have parts of the packages below, each under its own licence. tabgrad itself is under\n' +
      'the MIT licence (LICENSE).\n';
    // A package may be there twice, for two that need it.
    writeFileSync(file, [head, ...new Set(texts)].join(`\n${rule}\n`));
  }
}

function readPackage([folder, modules]) {
  const { name, version, license, author, homepage } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const files = readdirSync(folder).filter((entry) => licenceFile.test(entry));
  const text = files.map((entry) => readFileSync(join(folder, entry), 'utf8').trim()).join('\n\n');
  const holder = (typeof author === 'object' ? author.name : author) ?? homepage ?? `the authors of ${name}`;
  return {
    title: `${name} ${version} (${license})`,
    license,
    ...(text === '' ? { notices: noticesIn(modules) ?? `Copyright (c) ${holder}` } : { text: `${text}\n` }),
  };
}

/** What the heads of modules say about who has the copyright. */
function noticesIn(modules) {
  const lines = [...modules].flatMap((file) => readFileSync(file, 'utf8').match(/\bCopyright \S.*$/gm) ?? []);
  const notices = new Set(lines.map((line) => line.replace(/[*/\s]+$/, '')));
  return notices.size === 0 ? undefined : [...notices].sort().join('\n');
}

/** A package without a file of its own: its notices, and the terms as another package under the same licence has them. */
function termsFor({ title, license, notices }, packages) {
  const terms = license.split(/ (?:AND|OR) /).map((name) => {
    const start = { MIT: 'Permission is hereby granted', 'Apache-2.0': 'Apache License' }[name];
    const texts = packages
      .filter((one) => one.license === name && start !== undefined && one.text?.includes(start))
      .map(({ text }) => text.slice(text.indexOf(start)));
    if (texts.length === 0)
      throw new Error(`${title} has no licence file, and no other package has its terms.`);
    // Some add the licences of what they carry themselves: the shortest has the terms alone.
    return texts.reduce((shortest, text) => (text.length < shortest.length ? text : shortest));
  });
  return `${notices}\n\n${terms.join('\n')}`;
}
