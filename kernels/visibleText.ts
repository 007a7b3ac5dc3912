// Text of others, made fit to be shown. A terminal takes some characters for commands (set the title, write to the
// clipboard, clear the screen, go back in the line), and some turn a line of text around or hide in it, so that a name
// can look like another one or like a further row.

/** First and last code units of characters that act instead of being seen. */
const actingCharacters: readonly (readonly [first: number, last: number])[] = [
  [0x0000, 0x0008], // C0 controls but tab and line feed.
  [0x000b, 0x001f], // Among them escape and carriage return.
  [0x007f, 0x009f], // Delete and the C1 controls: 0x9b begins a command as escape and "[" do.
  [0x00ad, 0x00ad], // Soft hyphen, mostly unseen.
  [0x061c, 0x061c], // Arabic letter mark.
  [0x180e, 0x180e], // Mongolian vowel separator, unseen.
  [0x200b, 0x200f], // Zero-width space and joiners, left-to-right and right-to-left marks.
  [0x2028, 0x202e], // Line and paragraph separators, bidirectional embeddings and overrides.
  [0x2060, 0x206f], // Word joiner and unseen operators, bidirectional isolates.
  [0xfeff, 0xfeff], // Zero-width no-break space.
  [0xfff9, 0xfffb], // Marks of interlinear annotations.
];
/** U+E0000 to U+E007F, invisible letters, as pairs of code units. */
const UNSEEN_TAGS = '\\udb40[\\udc00-\\udc7f]';

const classes = actingCharacters.map(([first, last]) => `${escapeOf(first)}-${escapeOf(last)}`);
const acting = new RegExp(`[${classes.join('')}]|${UNSEEN_TAGS}`, 'g');

/**
 * The text with every character that acts on a terminal, or on the text around it, written as in JSON: "\u001b". Lines and
 * tabs stay. JSON text stays the same value.
 */
export function visibleText(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(acting, (found) =>
    found
      .split('')
      .map((unit) => escapeOf(unit.charCodeAt(0)))
      .join(''),
  );
}

/** The same on one line: line feeds and tabs become spaces. */
export function visibleLine(text: string): string {
  return visibleText(text).replaceAll(/[\n\t]/g, ' ');
}

function escapeOf(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`;
}
