// The project over HTTP: read by everybody who opens the page of volunteers, changed by the owner.

import { NotFoundError } from '../../http/httpErrors.ts';
import { readJson } from '../../http/readJson.ts';
import type { Route } from '../http/route.ts';
import { MAX_PICTURE_BYTES, type ProjectStore } from '../project/project.ts';

const MAX_PROJECT_BYTES = 2 * MAX_PICTURE_BYTES;

export function projectRoutes(project: ProjectStore): Route[] {
  return [
    {
      method: 'GET',
      path: '/project.json',
      access: 'public',
      traffic: 'page',
      handle: (exchange) => exchange.json(200, project.shown),
    },
    {
      method: 'GET',
      path: '/project-picture',
      access: 'public',
      traffic: 'page',
      handle(exchange) {
        if (!project.picture) throw new NotFoundError('The project has no picture');
        const { contentType, bytes } = project.picture;
        exchange.answer(
          200,
          { 'content-type': contentType, 'cache-control': 'public, max-age=86400' },
          bytes,
        );
      },
    },
    {
      method: 'PUT',
      path: '/api/v1/project',
      access: 'admin',
      traffic: 'api',
      async handle(exchange) {
        await project.change(await readJson(exchange, MAX_PROJECT_BYTES));
        exchange.json(200, project.shown);
      },
    },
  ];
}
