import { describe, expect, it } from 'vitest';
import { RouteTable, type RoutePlace } from '../../../coordinator/http/routeTable.ts';

const routes = (
  [
    ['GET', '/'],
    ['GET', '/api/runs'],
    ['POST', '/api/runs'],
    ['GET', '/api/runs/:runId'],
    ['POST', '/api/runs/latest'],
    ['GET', '/models/:model/versions/:version'],
    ['POST', '/models/:model/infer'],
    ['GET', '/assets/page-1.0.js'],
  ] as const
).map(([method, path]): RoutePlace => ({ method, path }));
const table = new RouteTable(routes);

/** What answers, as "METHOD path", with the values of its segments. */
function found(method: string, path: string): [string, object] {
  const { route, params } = table.match(method, path);
  return [`${route.method} ${route.path}`, params];
}

describe('RouteTable', () => {
  it('finds routes by method and path', () => {
    expect(found('GET', '/')).toEqual(['GET /', {}]);
    expect(found('GET', '/api/runs')).toEqual(['GET /api/runs', {}]);
    expect(found('POST', '/api/runs')).toEqual(['POST /api/runs', {}]);
    expect(found('GET', '/assets/page-1.0.js')).toEqual(['GET /assets/page-1.0.js', {}]);
  });

  it('answers HEAD by routes of GET', () => {
    expect(found('HEAD', '/api/runs')).toEqual(['GET /api/runs', {}]);
    expect(() => found('HEAD', '/models/a/infer')).toThrow(/^HEAD is not possible on/);
  });

  it('gives the values of segments, decoded, and keeps none of an earlier request', () => {
    expect(found('GET', '/api/runs/a%20b')).toEqual(['GET /api/runs/:runId', { runId: 'a b' }]);
    expect(found('GET', '/models/versions/versions/2')).toEqual([
      'GET /models/:model/versions/:version',
      { model: 'versions', version: '2' },
    ]);
    expect(found('POST', '/models/m/infer')).toEqual(['POST /models/:model/infer', { model: 'm' }]);
  });

  it('takes names that objects have for names', () => {
    for (const name of ['__proto__', 'constructor', 'toString'])
      expect(found('GET', `/api/runs/${name}`)).toEqual(['GET /api/runs/:runId', { runId: name }]);
    for (const path of ['/__proto__', '/constructor', '/api/toString'])
      expect(() => found('GET', path)).toThrow(`Nothing is served at ${path}.`);
  });

  it('finds nothing where a segment is empty, missing, more, or no encoded text', () => {
    for (const path of [
      '/api/runs/',
      '/api',
      '/api/runs/a/b',
      '/api/runs/%E0%A4',
      '//',
      '/Api/runs',
      '/assets/page-1x0.js',
    ])
      expect(() => found('GET', path)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }) as Error);
  });

  it('says which methods are possible, and of paths that are no paths', () => {
    expect(() => found('DELETE', '/api/runs')).toThrow(
      expect.objectContaining({
        code: 'METHOD_NOT_ALLOWED',
        message: 'DELETE is not possible on /api/runs, only GET, POST.',
        headers: { Allow: 'GET, POST' },
      }) as Error,
    );
    for (const target of ['*', '', 'ftp://127.0.0.1/'])
      expect(() => found('GET', target)).toThrow('The request target is not a path');
  });

  it('takes the first route that has the method, where several paths fit', () => {
    expect(found('GET', '/api/runs/latest')).toEqual(['GET /api/runs/:runId', { runId: 'latest' }]);
    expect(found('POST', '/api/runs/latest')).toEqual(['POST /api/runs/latest', {}]);
    expect(() => found('PUT', '/api/runs/latest')).toThrow('only GET, POST.');
  });
});
