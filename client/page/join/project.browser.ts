// What the owner says of the project that this page asks for.

export interface Project {
  readonly title?: string;
  readonly description?: string;
  /** Address of the picture, at the coordinator. */
  readonly picture?: string;
  readonly contact?: string;
  /** An https or http address with more. */
  readonly link?: string;
}

/** The project of this coordinator; empty where its owner says nothing, undefined where the coordinator can't be reached. */
export async function fetchProject(base: string): Promise<Project | undefined> {
  try {
    const response = await fetch(`${base}/project.json`);
    return response.ok ? readProject(await response.json()) : {};
  } catch {
    return undefined;
  }
}

/** What of an answer can be shown. */
export function readProject(answer: unknown): Project {
  const given: Record<string, unknown> = { ...(answer as object | null) };
  const text = (name: string): Record<string, string> => {
    const value = given[name];
    return typeof value === 'string' && value !== '' ? { [name]: value } : {};
  };
  const link = given['link'];
  return {
    ...text('title'),
    ...text('description'),
    ...text('picture'),
    ...text('contact'),
    ...(typeof link === 'string' && /^https?:\/\//.test(link) && { link }),
  };
}
