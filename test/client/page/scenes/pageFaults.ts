// What is wrong with a page as it stands: against WCAG 2.2 AA by axe, and of its layout.

import axe from 'axe-core';
import type { Page } from 'playwright-core';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Each fault in a line, with the element; none is empty. */
export async function accessFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  const { violations } = await page.evaluate(
    (runOnly) =>
      (globalThis as unknown as { axe: typeof axe }).axe.run({ runOnly, resultTypes: ['violations'] }),
    rules,
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
}

/** Text that leaves the page, is cut off, or lies on other text. */
export function layoutFaults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const { documentElement: root } = document;
    if (root.scrollWidth > root.clientWidth)
      faults.push(`the page is ${root.scrollWidth} pixels wide, and the window ${root.clientWidth}`);
    const shown: { element: Element; words: string; rect: DOMRect }[] = [];
    /** What is left of a place inside all that cut off what overflows them; undefined for nothing. */
    const visiblePart = (element: Element, rect: DOMRect): DOMRect | undefined => {
      let { left, top, right, bottom } = rect;
      for (let one: Element | null = element; one && one !== document.body; one = one.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(one);
        if (overflowX === 'visible' && overflowY === 'visible') continue;
        const frame = one.getBoundingClientRect();
        [left, right] = [Math.max(left, frame.left), Math.min(right, frame.right)];
        [top, bottom] = [Math.max(top, frame.top), Math.min(bottom, frame.bottom)];
      }
      return right - left > 1 && bottom - top > 1
        ? new DOMRect(left, top, right - left, bottom - top)
        : undefined;
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const words = node.textContent?.trim() ?? '';
      const element = node.parentElement;
      if (
        words === '' ||
        element?.closest('.unseen') ||
        !element?.checkVisibility({ visibilityProperty: true, opacityProperty: true })
      )
        continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const whole of range.getClientRects()) {
        const rect = visiblePart(element, whole);
        if (rect) shown.push({ element, words: words.slice(0, 40), rect });
      }
    }
    for (const { element, words, rect } of shown) {
      if (element.closest('select, option') === null && rect.right > root.clientWidth + 1)
        faults.push(`"${words}" ends at ${Math.round(rect.right)}`);
    }
    const slack = 2;
    for (const [i, a] of shown.entries()) {
      for (const b of shown.slice(i + 1)) {
        if (a.element === b.element || a.element.closest('.scroll') !== b.element.closest('.scroll'))
          continue;
        const wide = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
        const high = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
        // Lines of one paragraph touch by their line height.
        if (wide > slack && high > Math.min(a.rect.height, b.rect.height) / 3)
          faults.push(`"${a.words}" lies on "${b.words}"`);
      }
    }
    return faults;
  });
}

/** More controls than this are not stepped through. */
const MAX_STEPS = 120;

/** Controls that the Tab key does not reach, and those that do not show that they have the focus. */
export async function keyboardFaults(page: Page): Promise<string[]> {
  const unreached = await page.evaluate((most) => {
    const controls = [
      ...document.querySelectorAll<HTMLElement>(
        'a[href], button, input, select, textarea, summary, [tabindex="0"]',
      ),
    ];
    const groups = new Set<string>();
    let marked = 0;
    for (const control of controls) {
      if (control.matches(':disabled') || !control.checkVisibility({ visibilityProperty: true })) continue;
      // Of a group of radio buttons the keyboard stops at one.
      if (control instanceof HTMLInputElement && control.type === 'radio') {
        if (groups.has(control.name)) continue;
        groups.add(control.name);
        control.dataset['control'] = `radio ${control.name}`;
      } else control.dataset['control'] = String(marked);
      marked += 1;
      if (marked === most) break;
    }
    (document.activeElement as HTMLElement | null)?.blur();
    return marked;
  }, MAX_STEPS);
  const faults = new Set<string>();
  const reached = new Set<string>();
  for (let step = 0; step < 2 * unreached && reached.size < unreached; step += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement;
      if (!(element instanceof HTMLElement) || element === document.body) return undefined;
      const isRadio = element instanceof HTMLInputElement && element.type === 'radio';
      const shows = [element, element.nextElementSibling, element.closest('label')].some(
        (one) => one && getComputedStyle(one).outlineStyle !== 'none',
      );
      const words = `${element.tagName.toLowerCase()} "${element.textContent?.trim().slice(0, 30)}"`;
      return { name: isRadio ? `radio ${element.name}` : element.dataset['control'], shows, words };
    });
    if (!focused) continue;
    if (focused.name !== undefined) reached.add(focused.name);
    if (!focused.shows) faults.add(`${focused.words} does not show that it has the focus`);
  }
  const missed = await page.evaluate(
    (names) => {
      const controls = [...document.querySelectorAll<HTMLElement>('[data-control]')];
      return controls
        .filter((control) => !names.includes(control.dataset['control']!))
        .map((control) => `${control.tagName.toLowerCase()} "${control.textContent?.trim().slice(0, 30)}"`);
    },
    [...reached],
  );
  return [...faults, ...missed.map((words) => `${words} is not reached by the keyboard`)];
}
