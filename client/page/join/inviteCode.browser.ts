// A QR code of a link, as an image.

import makeCode from 'qrcode-generator';

/** @returns the address of the image, with its bytes in it. */
export function inviteCode(link: string): string {
  const code = makeCode(0, 'M');
  code.addData(link);
  code.make();
  return code.createDataURL(4, 16);
}
