import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../../coordinator/core/run/outbox.ts';
import type { RunFact } from '../../../../coordinator/core/run/runRecord.ts';

const fact = (reason: string): RunFact => ({ type: 'event', event: { type: 'waiting', reason } });

function reasons(facts: readonly RunFact[]): string {
  return facts
    .map((one) => (one.type === 'event' && one.event.type === 'waiting' ? one.event.reason : ''))
    .join();
}

describe('Outbox', () => {
  it('keeps what was decided in one turn in one write, and delivers after it, in order', async () => {
    const story: string[] = [];
    let keep: () => void = () => undefined;
    const outbox = new Outbox(
      (facts) => {
        story.push(`write ${reasons(facts)}`);
        return new Promise((resolve) => (keep = resolve));
      },
      (error) => story.push(`failed ${String(error)}`),
    );
    outbox.post({ facts: [fact('a')], deliver: () => void story.push('tell a') });
    outbox.post({ deliver: () => void story.push('send') });
    outbox.post({ facts: [fact('b')], deliver: () => void story.push('tell b') });
    await Promise.resolve();
    expect(story).toEqual(['write a,b']);
    outbox.post({ facts: [fact('c')], deliver: () => void story.push('tell c') });
    keep();
    await new Promise((resolve) => setImmediate(resolve));
    expect(story).toEqual(['write a,b', 'tell a', 'send', 'tell b', 'write c']);
    keep();
    await outbox.emptied();
    expect(story.at(-1)).toBe('tell c');
  });

  it('waits for a slow delivery before the next', async () => {
    const story: string[] = [];
    const outbox = new Outbox(() => Promise.resolve(), String);
    outbox.post({
      deliver: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        story.push('slow');
      },
    });
    outbox.post({ deliver: () => void story.push('quick') });
    await outbox.emptied();
    expect(story).toEqual(['slow', 'quick']);
  });

  it('tells nobody of what could not be kept, nor of anything after it, but says its goodbyes', async () => {
    const story: string[] = [];
    const outbox = new Outbox(
      (facts) => {
        story.push(`write ${reasons(facts)}`);
        return Promise.reject(new Error('disk full'));
      },
      (error) => story.push((error as Error).message),
    );
    outbox.post({ facts: [fact('a')], deliver: () => void story.push('tell a') });
    outbox.post({ deliver: () => void story.push('goodbye'), always: true });
    await outbox.emptied();
    outbox.post({ facts: [fact('b')], deliver: () => void story.push('tell b') });
    outbox.post({ deliver: () => void story.push('end'), always: true });
    await outbox.emptied();
    expect(story).toEqual(['write a', 'disk full', 'goodbye', 'end']);
  });

  it('reports a delivery that fails, and goes on', async () => {
    const story: string[] = [];
    const outbox = new Outbox(
      () => Promise.resolve(),
      (error) => story.push((error as Error).message),
    );
    outbox.post({ deliver: () => Promise.reject(new Error('no blob')) });
    outbox.post({ deliver: () => void story.push('next') });
    await outbox.emptied();
    expect(story).toEqual(['no blob', 'next']);
  });
});
