// SVG and HTML as text. Whatever is given as text of an element is text there: names of features, metrics and trials are others'.

import { visibleLine } from '../../kernels/visibleText.ts';

export type Attributes = Readonly<Record<string, number | string | undefined>>;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text in an element or an attribute. What XML does not allow, and what turns text around, is written out. */
export function escaped(text: string): string {
  const lone = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]|[\uFFFE\uFFFF]/g;
  return visibleLine(text)
    .replace(lone, '\uFFFD')
    .replace(/[&<>"']/g, (sign) => entities[sign]!);
}

/** An element. Attributes that are undefined are left out. @param content elements, or text that is escaped already. */
export function element(name: string, attributes: Attributes, ...content: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) => ` ${key}="${typeof value === 'number' ? coordinate(value) : escaped(String(value))}"`,
    )
    .join('');
  return content.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${content.join('')}</${name}>`;
}

/** Two decimals: a hundredth of a pixel. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}
