// What the owner says of the project on the page of volunteers: kept in the record, changed while the coordinator runs.

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { TabgradError } from '../../../kernels/errors.ts';
import type { Store } from '../store/store.ts';

/** What is said of a project can not be shown: the message names the field. */
export class ProjectInvalidError extends TabgradError {
  readonly code = 'PROJECT_INVALID';
}

/** Bytes of a picture; it is shown at 96 × 96 pixels. */
export const MAX_PICTURE_BYTES = 512 * 1024;
const SETTING = 'project';

const line = (maxLength: number): z.ZodString =>
  z
    .string()
    .trim()
    .min(1, 'expected some text')
    .max(maxLength, `expected at most ${maxLength} characters`)
    .regex(/^\P{Cc}*$/u, 'expected one line without control characters');

/** The form of a project in files and requests. */
const projectForm = z.strictObject({
  title: line(120).optional().describe('What volunteers are asked to lend their tab to.'),
  description: z
    .string()
    .trim()
    .min(1, 'expected some text')
    .max(2000, 'expected at most 2000 characters')
    .regex(/^[\n\P{Cc}]*$/u, 'expected text without control characters')
    .optional()
    .describe('What is trained, and what for; up to 2000 characters.'),
  picture: z
    .string()
    .max(
      Math.ceil((MAX_PICTURE_BYTES * 4) / 3) + 64,
      `expected a picture of at most ${MAX_PICTURE_BYTES} bytes`,
    )
    .refine(
      (text) => pictureOf(text) !== undefined,
      'expected a PNG, JPEG, WebP or GIF image as a data: URL in base64',
    )
    .optional()
    .describe(
      'An image (PNG, JPEG, WebP or GIF, at most 512 KiB): its path in a file, a data: URL in a request.',
    ),
  contact: line(200).optional().describe('Who asks, and how to reach them.'),
  link: z
    .url({ protocol: /^https?$/, error: 'expected an address that begins with https:// or http://' })
    .max(500, 'expected at most 500 characters')
    .optional()
    .describe('A page with more about it.'),
});

/** What the owner says of the project; each part is optional. */
export type Project = z.output<typeof projectForm>;

interface Picture {
  readonly contentType: string;
  readonly bytes: Buffer;
}

const signatures: readonly (readonly [contentType: string, offset: number, bytes: string])[] = [
  ['image/png', 0, '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', 0, '\xff\xd8\xff'],
  ['image/gif', 0, 'GIF8'],
  ['image/webp', 8, 'WEBP'],
];

/** The type of an image by its first bytes; undefined for other bytes. */
function imageType(bytes: Buffer): string | undefined {
  return signatures.find(([, offset, start]) =>
    bytes.subarray(offset, offset + start.length).equals(Buffer.from(start, 'latin1')),
  )?.[0];
}

/** @returns undefined for what is no picture, or too large a one. */
function pictureOf(dataUrl: string): Picture | undefined {
  const encoded = /^data:image\/[a-z+.-]+;base64,([A-Za-z0-9+/]+={0,2})$/.exec(dataUrl)?.[1];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const contentType = bytes.length <= MAX_PICTURE_BYTES ? imageType(bytes) : undefined;
  return contentType === undefined ? undefined : { contentType, bytes };
}

/** Bytes of an image in the form of a project. */
export function pictureUrl(bytes: Buffer): string {
  return `data:${imageType(bytes) ?? 'image/none'};base64,${bytes.toString('base64')}`;
}

/** @throws ProjectInvalidError */
export function checkProject(given: unknown): Project {
  const parsed = projectForm.safeParse(given);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') ?? '';
  throw new ProjectInvalidError(
    `${field === '' ? 'The project' : field}: ${issue?.message ?? 'unknown form'}.`,
    {
      field,
    },
  );
}

/** The project of a coordinator. */
export class ProjectStore {
  readonly #store: Pick<Store, 'changeSettings'>;
  #project: Project = {};
  #picture: Picture | undefined;

  private constructor(store: Pick<Store, 'changeSettings'>) {
    this.#store = store;
  }

  /**
   * @param given replaces what the record has.
   * @throws ProjectInvalidError, StorageFullError, StorageError
   */
  static async open(
    store: Pick<Store, 'changeSettings' | 'savedSetting'>,
    given?: unknown,
  ): Promise<ProjectStore> {
    const project = new ProjectStore(store);
    if (given !== undefined) await project.change(given);
    else {
      const kept = await store.savedSetting(SETTING);
      if (kept !== undefined) project.#use(checkProject(JSON.parse(kept)));
    }
    return project;
  }

  /** What volunteers are told: the picture by its path below the coordinator's address. */
  get shown(): Project {
    const { picture: _, ...words } = this.#project;
    if (!this.#picture) return words;
    const version = createHash('sha256').update(this.#picture.bytes).digest('hex').slice(0, 16);
    return { ...words, picture: `project-picture?${version}` };
  }

  get picture(): Picture | undefined {
    return this.#picture;
  }

  /** Replaces all that is said. @throws ProjectInvalidError, StorageFullError, StorageError */
  async change(given: unknown): Promise<void> {
    const project = checkProject(given);
    await this.#store.changeSettings({ [SETTING]: JSON.stringify(project) });
    this.#use(project);
  }

  #use(project: Project): void {
    this.#project = project;
    this.#picture = project.picture === undefined ? undefined : pictureOf(project.picture);
  }
}
