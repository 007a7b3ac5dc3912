// Tokens that others know, and invitations: who may join by them and for how long, and what nobody is told without one.

import { request as httpRequest } from 'node:http';
import { describe, expect, it } from 'vitest';
import { moderatedCoordinator, type Answer } from './moderatedCoordinator.ts';

const world = moderatedCoordinator();

describe('A new join token', () => {
  it('keeps out who has the old one, with and without an identity; who is there works on', async () => {
    const { join: old, local } = world.coordinator.tokens;
    const staying = world.volunteer();
    const identity = await staying.identity();
    const ownIdentity = await world.volunteer({ token: local }).identity();
    const { body } = await world.ask('/api/v1/tokens/join', {});
    const { join } = world.coordinator.tokens;
    expect(join).not.toBe(old);
    expect(body).toEqual({ kind: 'join', token: join, joinUrl: world.coordinator.joinUrl, removed: [] });
    expect(world.coordinator.joinUrl).toContain(`#token=${join}`);
    expect(world.present()).toEqual([identity.workerId, ownIdentity.workerId]);
    expect(await world.volunteer({ token: old }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    await staying.leave();
    expect(await world.volunteer({ token: old, identity }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    expect(await world.volunteer({ token: local, identity: ownIdentity }).identity()).toEqual(ownIdentity);
    await world.volunteer({ token: join }).identity();
    await world.restart({ joinToken: old });
    expect(world.coordinator.tokens.join).toBe(join);
    expect(await world.volunteer({ token: old, identity }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });

  it('sends away at once who joined by the old one, where that is asked for; the own workers stay', async () => {
    const { join: old, local } = world.coordinator.tokens;
    const volunteer = world.volunteer();
    const { workerId } = await volunteer.identity();
    const own = await world.volunteer({ token: local }).identity();
    expect((await world.ask('/api/v1/tokens/join', { disconnect: true })).body).toMatchObject({
      removed: [workerId],
    });
    expect(await volunteer.next('shutdown')).toMatchObject({
      reconnect: false,
      reason: 'the join token was changed',
    });
    expect(world.present()).toEqual([own.workerId]);
    expect(await world.volunteer({ token: old }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });

  it('by another world.start sends everybody away, too', async () => {
    const identity = await world.volunteer().identity();
    await world.restart({ joinToken: 'the next' });
    const { join: made } = world.coordinator.tokens;
    expect(made).toBe('the next');
    expect(await world.volunteer({ identity, token: undefined }).refusal()).toMatch(/^TOKEN_REQUIRED/);
  });
});

describe('An invitation', () => {
  const HOUR_MS = 3_600_000;
  interface Made {
    readonly invitationId: string;
    readonly joinUrl: string;
  }
  const make = async (terms: object = {}): Promise<Made & { token: string }> => {
    const { status, body } = await world.ask('/api/v1/invitations', {
      count: 1,
      expiresInMs: HOUR_MS,
      ...terms,
    });
    expect(status).toBe(201);
    const made = body as Made;
    return { ...made, token: new URL(made.joinUrl).hash.replace('#token=', '') };
  };
  const listed = async (): Promise<unknown[]> =>
    ((await world.ask('/api/v1/invitations')).body as { invitations: unknown[] }).invitations;

  it('lets so many in, now and after a world.restart; those may come back', async () => {
    const { token, joinUrl, invitationId } = await make({ count: 2, name: 'class 7b' });
    const link = (): string => `${world.coordinator.url}/join#token=${token}`;
    expect(joinUrl).toBe(link());
    const first = await world.volunteer({ token }).identity();
    const second = await world.volunteer({ token, life: 'one' }).identity();
    expect(await world.volunteer({ token }).refusal()).toBe(
      'INVITATION_USED_UP This invitation was for 2 workers, who joined. Ask the owner for a new link.',
    );
    await world.restart();
    expect(await world.volunteer({ token }).refusal()).toMatch(/^INVITATION_USED_UP/);
    expect(await world.volunteer({ identity: first, token }).identity()).toEqual(first);
    const again = world.volunteer({ identity: second, token, life: 'one' });
    expect(await again.identity()).toEqual(second);
    expect(await listed()).toMatchObject([
      {
        invitationId,
        name: 'class 7b',
        count: 2,
        used: 2,
        state: 'used up',
        isTrusted: false,
        joinUrl: link(),
      },
    ]);
    expect(JSON.stringify(await listed())).not.toContain('"token"');
  });

  it('gives a worker that was lost for good its place under another id', async () => {
    await world.restart({ graceMs: 0 });
    const { token } = await make();
    const volunteer = world.volunteer({ token });
    const identity = await volunteer.identity();
    await volunteer.leave();
    await expect.poll(() => world.present()).toEqual([]);
    const next = await world.volunteer({ token, identity }).identity();
    expect(next.workerId).not.toBe(identity.workerId);
    expect(await world.volunteer({ token }).refusal()).toMatch(/^INVITATION_USED_UP/);
    // The former id is no second place.
    expect(await world.volunteer({ token, identity, life: 'other' }).refusal()).toMatch(
      /^INVITATION_USED_UP/,
    );
    expect(await listed()).toMatchObject([{ used: 1 }]);
  });

  it('that was revoked lets nobody in, nor back; who is there works on, or goes where that is asked for', async () => {
    const [kept, gone] = [await make({ count: 5 }), await make({ count: 5 })];
    const staying = world.volunteer({ token: kept.token });
    const going = world.volunteer({ token: gone.token });
    const [stayingId, goingId] = [await staying.identity(), await going.identity()];
    const other = await world.volunteer().identity();
    const revoke = (made: Made, body: object): Promise<Answer> =>
      world.ask(`/api/v1/invitations/${made.invitationId}/revoke`, body);
    expect(await revoke(kept, {})).toEqual({
      status: 200,
      body: { invitationId: kept.invitationId, removed: [] },
    });
    expect(await world.volunteer({ token: kept.token }).refusal()).toMatch(/^TOKEN_REQUIRED/);
    expect((await revoke(gone, { disconnect: true })).body).toEqual({
      invitationId: gone.invitationId,
      removed: [goingId.workerId],
    });
    expect(await going.next('shutdown')).toMatchObject({ reason: 'the invitation was revoked' });
    expect(world.present()).toEqual([stayingId.workerId, other.workerId]);
    await staying.leave();
    expect(await world.volunteer({ identity: stayingId, token: kept.token }).refusal()).toMatch(
      /^TOKEN_REQUIRED/,
    );
    expect(await revoke(gone, {})).toMatchObject({
      status: 404,
      body: { error: { code: 'INVITATION_UNKNOWN' } },
    });
    expect(await listed()).toEqual([]);
  });

  it('stays in force when the join token is changed', async () => {
    const { token } = await make({ count: 2 });
    const before = await world.volunteer({ token }).identity();
    await world.ask('/api/v1/tokens/join', { disconnect: true });
    expect(world.present()).toEqual([before.workerId]);
    await world.volunteer({ token }).identity();
  });

  it("can be for the owner's own machines, also when they come back", async () => {
    const { token } = await make({ isTrusted: true, count: 1 });
    const volunteer = world.volunteer({ token });
    const identity = await volunteer.identity();
    expect((await world.ask('/api/v1/workers')).body).toMatchObject({ workers: [{ trust: 'owners' }] });
    await world.restart();
    await world.volunteer({ token, identity }).identity();
    expect((await world.ask('/api/v1/workers')).body).toMatchObject({
      workers: [{ workerId: identity.workerId, trust: 'owners' }],
    });
  });

  it.each([
    [{ expiresInMs: HOUR_MS }],
    [{ count: 0, expiresInMs: HOUR_MS }],
    [{ count: 1.5, expiresInMs: HOUR_MS }],
    [{ count: 1e6, expiresInMs: HOUR_MS }],
    [{ count: 1, expiresInMs: 1 }],
    [{ count: 1, expiresInMs: 1e12 }],
    [{ count: 1, expiresInMs: HOUR_MS, name: 'a\nb' }],
    [{ count: 1, expiresInMs: HOUR_MS, name: ' ' }],
    [{ count: 1, expiresInMs: HOUR_MS, cout: 2 }],
  ])('of %j is refused', async (terms) => {
    expect(await world.ask('/api/v1/invitations', terms)).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST' } },
    });
    expect(await listed()).toEqual([]);
  });

  it('is the matter of owners', async () => {
    const { token } = await make();
    for (const path of ['/api/v1/invitations', '/api/v1/invitations/i-1/revoke']) {
      expect((await world.ask(path, {}, token)).status).toBe(401);
    }
    expect((await world.ask('/api/v1/invitations', undefined, token)).status).toBe(401);
  });
});

describe('A new admin token', () => {
  it('is in force at once, and the old one never again', async () => {
    const { admin: old } = world.coordinator.tokens;
    const { body } = await world.ask('/api/v1/tokens/admin', {});
    const { admin } = world.coordinator.tokens;
    expect(body).toEqual({ kind: 'admin', token: admin, removed: [] });
    expect([
      (await world.ask('/api/v1/status', undefined, old)).status,
      (await world.ask('/api/v1/status')).status,
    ]).toEqual([401, 200]);
    await world.restart({ adminToken: old });
    expect(world.coordinator.tokens.admin).toBe(admin);
  });
});

describe('Without a token, under any name,', () => {
  /** As a page of evil.example asks, whose name was made to point here. */
  const rebound = (path: string, method = 'GET'): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const { port } = new URL(world.coordinator.url);
      const host = `evil.example:${port}`;
      const headers = { host, origin: `http://${host}` };
      const request = httpRequest({ hostname: '127.0.0.1', port, path, method, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      request.on('error', reject);
      request.end();
    });

  it('a world.coordinator that others reach says what it is, that it works, and nothing more', async () => {
    await world.restart({ host: '0.0.0.0' });
    const { workerId } = await world.volunteer().identity();
    expect(await rebound('/')).toEqual({ status: 200, text: 'tabgrad coordinator\n' });
    expect(await rebound('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    const closed = [
      ['GET', '/metrics'],
      ['GET', '/api/v1/status'],
      ['GET', '/api/v1/workers'],
      ['GET', '/api/v1/runs'],
      ['POST', '/api/v1/runs'],
      ['GET', '/api/v1/runs/r'],
      ['GET', '/api/v1/runs/r/events'],
      ['GET', '/api/v1/runs/r/outcome'],
      ['POST', '/api/v1/runs/r/stop'],
      ['GET', '/api/v1/experiments'],
      ['GET', '/api/v1/bans'],
      ['PUT', `/blobs/${'0'.repeat(64)}`],
      ['GET', `/blobs/${'0'.repeat(64)}`],
    ] as const;
    for (const [method, path] of closed) {
      const { status, text } = await rebound(path, method);
      expect([path, status, text.includes(workerId)]).toEqual([path, 401, false]);
    }
  });

  it('the page of the world.coordinator is for its owner; a wrong token is refused there, too', async () => {
    await world.volunteer().identity();
    const page = (token: string): Promise<Response> =>
      fetch(world.coordinator.url, { headers: { authorization: `Bearer ${token}` } });
    expect(await (await page(world.coordinator.tokens.admin)).text()).toContain('workers: 1\n  node on x\n');
    for (const token of ['guess', world.coordinator.tokens.join]) {
      const refused = await page(token);
      expect([refused.status, await refused.text()]).toEqual([
        401,
        expect.stringContaining('TOKEN_REQUIRED'),
      ]);
    }
  });
});
