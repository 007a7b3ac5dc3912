// Draws the icons of the volunteer's page, as SVG and PNG: one worker in the middle, linked to three others.
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

const folder = 'client/page/public';
const blue = [0x25, 0x63, 0xeb];
const white = [255, 255, 255];
/** On a square of 64; what is outside the middle 80 % may be cut off by the system. */
const middle = { x: 32, y: 33, r: 7 };
const others = [
  { x: 32, y: 14, r: 4.5 },
  { x: 16, y: 43, r: 4.5 },
  { x: 48, y: 43, r: 4.5 },
];
const lineWidth = 2.5;

const lines = others.map(({ x, y }) => `M32 33L${x} ${y}`).join('');
const circles = [middle, ...others].map(({ x, y, r }) => `<circle cx="${x}" cy="${y}" r="${r}"/>`).join('');
writeFileSync(
  `${folder}/icon.svg`,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#2563eb"/>` +
    `<path d="${lines}" stroke="#fff" stroke-width="${lineWidth}"/><g fill="#fff">${circles}</g></svg>\n`,
);

/** How far a point is outside of the drawing; negative inside. */
function distance(x, y) {
  const toCircles = [middle, ...others].map((circle) => Math.hypot(x - circle.x, y - circle.y) - circle.r);
  const toLines = others.map((end) => {
    const [dx, dy] = [end.x - middle.x, end.y - middle.y];
    const along = ((x - middle.x) * dx + (y - middle.y) * dy) / (dx * dx + dy * dy);
    const at = Math.min(1, Math.max(0, along));
    return Math.hypot(x - middle.x - at * dx, y - middle.y - at * dy) - lineWidth / 2;
  });
  return Math.min(...toCircles, ...toLines);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}

function png(size) {
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const scale = 64 / size;
      const outside = distance((x + 0.5) * scale, (y + 0.5) * scale) / scale;
      const cover = Math.min(1, Math.max(0, 0.5 - outside));
      const at = y * (1 + 3 * size) + 1 + 3 * x;
      for (let i = 0; i < 3; i++) rows[at + i] = Math.round(blue[i] + cover * (white[i] - blue[i]));
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  // 8 bits a channel, RGB.
  header.set([8, 2], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

for (const size of [192, 512]) writeFileSync(`${folder}/icon-${size}.png`, png(size));
