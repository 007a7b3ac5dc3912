import { describe, expect, it } from 'vitest';
import { adviceFor } from '../../../../client/page/join/deviceOffer.browser.ts';
import { readProject } from '../../../../client/page/join/project.browser.ts';

const agents = {
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0',
  edge: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0',
  safari:
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15',
  other: 'Lynx/2.9',
};

describe('advice to a browser without WebGPU', () => {
  it.each([
    [agents.firefox, /Firefox has WebGPU/],
    [agents.edge, /Chrome and Edge from 113/],
    [agents.safari, /Safari has WebGPU/],
    [agents.other, /have WebGPU on most machines/],
  ])('is for that browser: %s', (agent, advice) => {
    expect(adviceFor(agent, true)).toMatch(advice);
  });

  it('is about the address where the page came over plain http', () => {
    expect(adviceFor(agents.edge, false)).toMatch(/over https or from localhost/);
  });
});

describe('what the owner says', () => {
  it('is shown as far as it is text, and links lead to web pages alone', () => {
    const told = {
      title: 'Birds',
      description: 7,
      contact: '',
      picture: 'project-picture?1',
      link: 'javascript:alert(1)',
    };
    expect(readProject(told)).toEqual({ title: 'Birds', picture: 'project-picture?1' });
    expect(readProject({ link: 'https://example.org' })).toEqual({ link: 'https://example.org' });
    for (const nothing of [null, 7, 'x', []]) expect(readProject(nothing)).toEqual({});
  });
});
