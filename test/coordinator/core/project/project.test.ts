import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProjectFile } from '../../../../coordinator/cli/projectFile.ts';
import { MAX_PICTURE_BYTES, pictureUrl } from '../../../../coordinator/core/project/project.ts';
import { startCoordinator, type Coordinator } from '../../../../coordinator/core/server/coordinator.ts';

// One grey pixel.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);
const project = {
  title: 'Bird songs',
  description: 'Which bird sings?\nFor the park.',
  contact: 'Ada, ada@example.org',
  link: 'https://example.org/birds',
  picture: pictureUrl(png),
};

let folder: string;
let coordinator: Coordinator | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabgrad-project-'));
});
afterEach(async () => {
  await coordinator?.close();
  coordinator = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(given?: typeof project | object): Promise<void> {
  coordinator = await startCoordinator({ port: 0, storagePath: folder, ...(given && { project: given }) });
}
const ask = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(new URL(path, coordinator!.url), init);
const shown = async (): Promise<unknown> => (await ask('/project.json')).json();
function put(body: unknown, token = coordinator!.tokens.admin): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return ask('/api/v1/project', { method: 'PUT', headers, body: JSON.stringify(body) });
}

describe('the project of a coordinator', () => {
  it('is shown to everybody, and is there in its next life', async () => {
    await start(project);
    const { picture, ...words } = (await shown()) as typeof project;
    expect({ ...words, picture: project.picture }).toEqual(project);
    const image = await ask(`/${picture}`);
    expect(image.headers.get('content-type')).toBe('image/png');
    expect(Buffer.from(await image.arrayBuffer())).toEqual(png);
    await coordinator!.close();
    await start();
    expect(await shown()).toEqual({ ...words, picture });
  });

  it('is changed by the owner alone, as a whole', async () => {
    await start(project);
    expect((await put({ title: 'Mine' }, coordinator!.tokens.join)).status).toBe(401);
    const answer = await put({ title: 'Frogs' });
    expect([answer.status, await answer.json()]).toEqual([200, { title: 'Frogs' }]);
    expect(await shown()).toEqual({ title: 'Frogs' });
    expect((await ask('/project-picture')).status).toBe(404);
  });

  it.each([
    ['title', { title: '' }],
    ['title', { title: 'x'.repeat(121) }],
    ['title', { title: 'two\nlines' }],
    ['description', { description: '\u001b[31mred' }],
    ['link', { link: 'javascript:alert(1)' }],
    ['picture', { picture: 'picture.png' }],
    ['picture', { picture: 'data:image/svg+xml;base64,PHN2Zy8+' }],
    ['picture', { picture: pictureUrl(Buffer.alloc(MAX_PICTURE_BYTES + 1, png)) }],
    ['', { colour: 'red' }],
    ['', 'Frogs'],
  ])('is refused, and stays, where %s is wrong: %j', async (field, change) => {
    await start({ title: 'Birds' });
    const answer = await put(change);
    expect(answer.status).toBe(400);
    const told = {
      code: 'PROJECT_INVALID',
      message: expect.stringMatching(`^${field || 'The project'}: `) as unknown,
    };
    expect(await answer.json()).toMatchObject({ error: told });
    expect(await shown()).toEqual({ title: 'Birds' });
  });

  it('ends the start of a coordinator when it can not be shown, which begins again on the same folder', async () => {
    await expect(start({ link: 'ftp://example.org' })).rejects.toMatchObject({ code: 'PROJECT_INVALID' });
    await start(project);
  });
});

describe('the file of a project', () => {
  it('names its picture by a path from its own folder', async () => {
    await writeFile(join(folder, 'bird.png'), png);
    await writeFile(join(folder, 'project.yaml'), 'title: Bird songs\npicture: bird.png\n');
    expect(await readProjectFile('project.yaml', folder)).toEqual({
      title: 'Bird songs',
      picture: project.picture,
    });
  });

  it.each([
    [
      'a picture that is missing',
      'picture: none.png',
      /project\.yaml: picture: .*none\.png can not be read \(ENOENT\)/,
    ],
    ['a picture that is a folder', 'picture: .', /picture: .* is no file/],
    ['a picture that is none', 'picture: project.yaml', /project\.yaml: picture: expected a PNG/],
    ['an unknown part', 'titel: x', /project\.yaml: The project: Unrecognized key: "titel"/],
    ['no parts', '7', /project\.yaml: The project: /],
  ])('is refused with %s', async (_, text, message) => {
    await writeFile(join(folder, 'project.yaml'), text);
    await expect(readProjectFile('project.yaml', folder)).rejects.toMatchObject({
      code: 'PROJECT_INVALID',
      message: expect.stringMatching(message) as unknown,
      place: { file: 'project.yaml' },
    });
  });
});
