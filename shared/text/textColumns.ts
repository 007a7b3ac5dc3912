// How many columns of a terminal text takes, and text cut and padded to columns: letters of East Asian scripts and pictures
// take two, marks that are drawn onto the letter before them none.

const plain = /^[\u0020-\u007e]*$/;
const markOrUnseen = /^[\p{Mn}\p{Me}\p{Cf}]$/u;
const picture = /^\p{Emoji_Presentation}$/u;
/** Asks for the letter before it as a picture: twice as wide in some terminals. Counted as wide, so that no line wraps. */
const AS_PICTURE = 0xfe0f;
/** Marks that one letter may carry, each; further ones are cut off: a name may have thousands. */
const MAX_MARKS = 4;

/** First and last code points of wide letters (Unicode Standard Annex 11: W and F), in order. */
const wide: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function columnsOfLetter(letter: string): number {
  const point = letter.codePointAt(0)!;
  if (point < 0x300) return 1;
  if (point === AS_PICTURE) return 1;
  if (markOrUnseen.test(letter)) return 0;
  return wide.some(([first, last]) => point >= first && point <= last) || picture.test(letter) ? 2 : 1;
}

/** Columns of a line of text without control characters. */
export function columnsOf(text: string): number {
  if (plain.test(text)) return text.length;
  let columns = 0;
  for (const letter of text) columns += columnsOfLetter(letter);
  return columns;
}

/** The text, with an ellipsis where it is cut, in at most `width` columns. */
export function cutColumns(text: string, width: number): string {
  if (width <= 0) return '';
  if (plain.test(text)) return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
  let columns = 0;
  let marks = 0;
  let kept = '';
  let fitting = '';
  for (const letter of text) {
    const taken = columnsOfLetter(letter);
    marks = taken === 0 ? marks + 1 : 0;
    if (marks > MAX_MARKS) continue;
    columns += taken;
    if (columns > width) return `${fitting}…`;
    kept += letter;
    if (columns < width) fitting = kept;
  }
  return kept;
}

/** The text with spaces behind it up to `width` columns. */
export function padColumns(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}
