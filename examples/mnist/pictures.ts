// What a trained classifier of digits did, as SVG pictures that any browser shows: who was taken for whom, and a few of the
// images with what was said of them.

import { crc32, deflateSync } from 'node:zlib';

const FONT = 'font-family="system-ui, sans-serif"';
const INK = '#1c2733';
const QUIET = '#6b7785';
const GOOD = '#1f7a5c';
const BAD = '#c2410c';

/** @param counts [true class][predicted class]. */
export function confusionMatrix(counts: readonly (readonly number[])[], title: string): string {
  const [cell, left, top] = [52, 92, 112];
  const side = counts.length * cell;
  const cells = counts.flatMap((row, truth) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    return row.map((count, said) => {
      const [x, y] = [left + said * cell, top + truth * cell];
      const hue = truth === said ? GOOD : BAD;
      // Mistakes are few: their shade goes by the root, so that one in a hundred is seen.
      const shade = truth === said ? count / total : Math.sqrt(count / total) * 1.6;
      const ink = shade > 0.55 ? '#ffffff' : count === 0 ? '#c3cad2' : INK;
      return (
        `<rect x="${x + 1}" y="${y + 1}" width="${cell - 2}" height="${cell - 2}" rx="4" fill="#f3f5f7"/>` +
        `<rect x="${x + 1}" y="${y + 1}" width="${cell - 2}" height="${cell - 2}" rx="4" fill="${hue}" fill-opacity="${Math.min(1, shade).toFixed(3)}"/>` +
        text(x + cell / 2, y + cell / 2 + 5, String(count), { size: 14, fill: ink })
      );
    });
  });
  const classes = counts.flatMap((row, index) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    const share = total === 0 ? '' : `${((100 * row[index]!) / total).toFixed(1)} %`;
    return [
      text(left + index * cell + cell / 2, top - 10, String(index), { size: 15, bold: true }),
      text(left - 14, top + index * cell + cell / 2 + 5, String(index), { size: 15, bold: true }),
      text(left + side + 38, top + index * cell + cell / 2 + 5, share, { size: 13, fill: QUIET }),
    ];
  });
  const axes = [
    text(left, 40, title, { size: 20, bold: true, anchor: 'start' }),
    text(left + side / 2, 78, 'predicted', { size: 13, fill: QUIET }),
    `<g transform="rotate(-90 34 ${top + side / 2})">${text(34, top + side / 2, 'true digit', { size: 13, fill: QUIET })}</g>`,
    text(left + side + 38, top - 10, 'found', { size: 13, fill: QUIET }),
  ];
  return svg(left + side + 84, top + side + 28, [...axes, ...classes, ...cells]);
}

export interface Sample {
  /** Gray values row by row, 0 is black. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly label: number;
  readonly probabilities: readonly number[];
}

/** Images in rows, each with its most probable digit; wrong ones say what it was. */
export function samplePredictions(samples: readonly Sample[], title: string, columns = 8): string {
  const [tile, image, caption, left, top] = [104, 88, 40, 28, 68];
  const parts = samples.map(({ pixels, width, label, probabilities }, index) => {
    const [x, y] = [
      left + (index % columns) * tile,
      top + Math.floor(index / columns) * (tile + caption - 10),
    ];
    const probability = Math.max(...probabilities);
    const said = probabilities.indexOf(probability);
    const right = said === label;
    const verdict = right ? '' : ` (is ${label})`;
    return (
      `<image x="${x}" y="${y}" width="${image}" height="${image}" style="image-rendering:pixelated" href="${grayPng(pixels, width)}"/>` +
      `<rect x="${x}" y="${y}" width="${image}" height="${image}" fill="none" stroke="${right ? '#d5dbe1' : BAD}" stroke-width="${right ? 1 : 3}" rx="2"/>` +
      text(x, y + image + 18, `${said}${verdict}`, {
        size: right ? 15 : 13,
        bold: true,
        fill: right ? GOOD : BAD,
        anchor: 'start',
      }) +
      text(x + image, y + image + 18, `${(100 * probability).toFixed(0)} %`, {
        size: 12,
        fill: QUIET,
        anchor: 'end',
      })
    );
  });
  const rows = Math.ceil(samples.length / columns);
  const width = left * 2 + columns * tile - (tile - image);
  return svg(width, top + rows * (tile + caption - 10) + 6, [
    text(left, 40, title, { size: 20, bold: true, anchor: 'start' }),
    ...parts,
  ]);
}

interface TextStyle {
  readonly size: number;
  readonly bold?: boolean;
  readonly fill?: string;
  readonly anchor?: 'end' | 'middle' | 'start';
}

function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size, bold = false, fill = INK, anchor = 'middle' } = style;
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y}" ${FONT} font-size="${size}" font-weight="${bold ? 600 : 400}" fill="${fill}" text-anchor="${anchor}">${escaped}</text>`;
}

function svg(width: number, height: number, parts: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">\n` +
    `<rect width="100%" height="100%" fill="#ffffff"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

/** A PNG of gray values as a data: address. */
function grayPng(pixels: Uint8Array, width: number): string {
  const height = pixels.length / width;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  // Each row begins with its filter: none.
  const rows = Buffer.alloc(height * (width + 1));
  for (let row = 0; row < height; row += 1) {
    rows.set(pixels.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const file = [
    signature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
    pngChunk('IEND', Buffer.alloc(0)),
  ];
  return `data:image/png;base64,${Buffer.concat(file).toString('base64')}`;
}

function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
