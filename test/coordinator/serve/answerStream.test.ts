import { describe, expect, it } from 'vitest';
import { Router } from '../../../coordinator/serve/routing/router.ts';
import { AnswerStream, WINDOW } from '../../../coordinator/serve/stream/answerStream.ts';
import { streamHere } from '../../../coordinator/serve/stream/pieceSender.ts';
import { ManualClock, settled } from '../../setup/manualClock.ts';
import { FakeReplica } from './fakeReplica.ts';
import { readDeploymentOptions } from '../../../coordinator/serve/deployment/deployment.ts';

class Source {
  asked = 0;
  cancelled = 0;
  readonly stream = new AnswerStream(undefined, {
    ask: (count) => (this.asked += count),
    cancel: () => (this.cancelled += 1),
  });
}

describe('an answer in pieces', () => {
  it('asks for more as pieces are taken, and for no more than its window in all', async () => {
    const source = new Source();
    let sent = 0;
    for (let taken = 0; taken < 200; taken++) {
      while (sent < WINDOW + source.asked) source.stream.push(sent++);
      expect(await source.stream.next()).toEqual({ done: false, value: taken });
      expect(sent - taken).toBeLessThanOrEqual(WINDOW);
    }
    expect(await source.stream.return()).toEqual({ done: true, value: undefined });
    expect(source.cancelled).toBe(1);
  });

  it('refuses pieces beyond its window', async () => {
    const { stream } = new Source();
    for (let i = 0; i <= WINDOW; i++) stream.push(i);
    await expect(stream.next()).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('gives what came before the source failed, then the error, then nothing', async () => {
    const { stream } = new Source();
    stream.push('a');
    stream.sourceEnded(new Error('lost'));
    await stream.over;
    expect(await stream.next()).toEqual({ done: false, value: 'a' });
    await expect(stream.next()).rejects.toThrow('lost');
  });

  it('is over when its last piece is taken, not before', async () => {
    const { stream } = new Source();
    let isOver = false;
    void stream.over.then(() => (isOver = true));
    stream.push('a');
    stream.sourceEnded();
    await settled();
    expect(isOver).toBe(false);
    await stream.next();
    await settled();
    expect(isOver).toBe(true);
  });

  it('is over when the source has heard that nobody takes it any more, and stopped', async () => {
    let release = (): void => undefined;
    let isOver = false;
    async function* pieces(): AsyncGenerator<number> {
      try {
        yield 1;
        await new Promise<void>((resolve) => (release = resolve));
        yield 2;
      } finally {
        await Promise.resolve();
      }
    }
    const stream = streamHere(undefined, pieces());
    void stream.over.then(() => (isOver = true));
    expect(await stream.next()).toEqual({ done: false, value: 1 });
    await settled();
    const waiting = stream.next();
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    await settled();
    expect(isOver).toBe(false);
    release();
    await stream.over;
  });

  it('holds its place at the replica until it is over, and is ended when nothing moves for requestTimeoutS', async () => {
    const clock = new ManualClock();
    const idle: unknown[] = [];
    const router = new Router(
      'model',
      readDeploymentOptions({ requestTimeoutS: 5, maxOngoingRequests: 1 }),
      clock,
      {
        onLoad: () => undefined,
        onStuck: () => undefined,
        onIdle: (slot) => void idle.push(slot),
      },
    );
    const replica = new FakeReplica('model#1');
    const slot = router.add(replica);
    const call = router.call('method', ['tell', []]);
    const next = router.call('method', ['next', []]).catch((error: unknown) => error);
    const source = new Source();
    const { stream } = source;
    replica.answer(stream);
    expect(await call).toBe(stream);
    for (let i = 0; i < 4; i++) {
      await clock.advanceSettled(4_000);
      stream.push(i);
      expect(await stream.next()).toEqual({ done: false, value: i });
    }
    expect([router.ongoing, router.queued, replica.calls.size]).toEqual([1, 0, 0]);
    await clock.advanceSettled(4_999);
    const last = stream.next().catch((error: unknown) => error);
    await clock.advanceSettled(1);
    expect(await last).toMatchObject({ code: 'DEADLINE_EXCEEDED', place: { peer: 'model#1' } });
    expect([slot.overdue, source.cancelled]).toEqual([1, 1]);
    stream.sourceEnded();
    await settled();
    expect([slot.overdue, router.ongoing, router.counts.timeouts]).toEqual([0, 0, 2]);
    expect(await next).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  });
});
