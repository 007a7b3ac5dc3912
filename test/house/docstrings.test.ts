// Users of `import … from 'tabgrad'` read the API in an editor: each export has a docstring there, and so has each method of
// its classes and interfaces. The keys of options have the texts that their schemas `describe`.

import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { parseSync, type ESTree } from 'vite';

const root = join(import.meta.dirname, '../..');

interface Module {
  readonly path: string;
  readonly statements: readonly ESTree.Program['body'][number][];
  /** Whether a docstring ends right before this place. */
  isDocumented(start: number): boolean;
}

type Declaration = ESTree.Declaration | ESTree.VariableDeclarator;

function parse(path: string, source: string): Module {
  const { program, comments } = parseSync(path, source);
  const ends = comments
    .filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
    .map(({ end }) => end);
  return {
    path,
    statements: program.body,
    isDocumented: (start) => ends.some((end) => end <= start && source.slice(end, start).trim() === ''),
  };
}

const namesOf = (node: ESTree.ModuleExportName): string => ('name' in node ? node.name : node.value);

/** What is missing of one declared symbol: itself, and its public methods. */
function missingOf(module: Module, name: string, start: number, declaration: Declaration): string[] {
  const isMissing = !module.isDocumented(start);
  return [
    ...(isMissing ? [name] : []),
    ...methodsOf(declaration)
      .filter((methods) => !methods.some((method) => module.isDocumented(method.start)))
      .map(([method]) => `${name}.${method!.name}`),
  ];
}

/** The public methods and fields of a class, the methods of an interface; overloads stand together. */
function methodsOf(declaration: Declaration): { readonly name: string; readonly start: number }[][] {
  const isClass = declaration.type === 'ClassDeclaration';
  if (!isClass && declaration.type !== 'TSInterfaceDeclaration') return [];
  const members = isClass
    ? declaration.body.body.filter((member) => {
        const isMember = member.type === 'MethodDefinition' || member.type === 'PropertyDefinition';
        // `#own` members are private, and those named by symbols are between parts of the package.
        if (!isMember || member.computed || member.key.type !== 'Identifier') return false;
        return member.accessibility !== 'private' && member.accessibility !== 'protected';
      })
    : declaration.body.body.filter((member) => member.type === 'TSMethodSignature');
  const named = members.map((member) => ({
    name: 'key' in member && member.key.type === 'Identifier' ? member.key.name : '',
    start: member.start,
  }));
  const names = [...new Set(named.map(({ name }) => name))];
  return names.map((name) => named.filter((member) => member.name === name));
}

/** "path: symbol" of every export of a module without a docstring, re-exports followed. */
function undocumented(module: Module, open: (path: string) => Module, wanted?: string): string[] {
  const follow = (source: string, name: string): string[] =>
    undocumented(open(resolve(module.path, '..', source)), open, name);
  return module.statements.flatMap((statement): string[] => {
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const { declaration, source, specifiers, start } = statement;
    if (declaration === null) {
      return specifiers.flatMap(({ local, exported }) => {
        if (wanted !== undefined && namesOf(exported) !== wanted) return [];
        if (source === null)
          throw new Error(`${module.path} exports ${namesOf(local)} apart from its declaration`);
        return follow(source.value, namesOf(local));
      });
    }
    const declared =
      declaration.type === 'VariableDeclaration'
        ? declaration.declarations.map((one) => ({ node: one as Declaration, id: one.id }))
        : [{ node: declaration as Declaration, id: 'id' in declaration ? declaration.id : null }];
    return declared.flatMap(({ node, id }) => {
      const name = id !== null && 'name' in id ? id.name : '';
      if (wanted !== undefined && name !== wanted) return [];
      return missingOf(module, name, start, node).map((one) => `${relative(root, module.path)}: ${one}`);
    });
  });
}

const openFile = (path: string): Module => parse(path, readFileSync(path, 'utf8'));

it('Every export of the package has a docstring, and so has every method of its classes and interfaces', () => {
  const entry = openFile(join(root, 'coordinator/index.ts'));
  expect(entry.statements.length).toBeGreaterThan(50);
  expect([...new Set(undocumented(entry, openFile))]).toEqual([]);
});

it('An export or a method without a docstring is named', () => {
  const files: Readonly<Record<string, string>> = {
    'index.ts': `export { A, type B } from './a.ts'; export { c, d } from './c.ts';`,
    'a.ts': `
      /** Documented. */
      export class A {
        #own = 1;
        private hidden(): void {}
        /** Documented. */
        told(): void {}
        bare(): void {}
      }
      export interface B { readonly field: number; method(): void }
      export const notExportedFurther = 1;`,
    'c.ts': `
      /** Documented. */
      export const c = 1;
      // A comment is no docstring.
      export const d = 2;`,
  };
  const open = (path: string): Module => parse(path, files[relative(root, path)]!);
  expect(undocumented(open(join(root, 'index.ts')), open)).toEqual([
    'a.ts: A.bare',
    'a.ts: B',
    'a.ts: B.method',
    'c.ts: d',
  ]);
});
