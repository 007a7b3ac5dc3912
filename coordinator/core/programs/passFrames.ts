// Passes frames on from one pipe to another, no faster than the other takes them.

import { MAX_PROGRAM_FRAME_BYTES } from '../../../shared/protocol/program.ts';
import type { ProgramPipe } from './programPipe.ts';

/** One frame of the largest size may wait; then nothing more is read until it has been taken. */
const MAX_WAITING_BYTES = MAX_PROGRAM_FRAME_BYTES;

export function passFrames(from: ProgramPipe, to: ProgramPipe): void {
  from.onFrame((frame) => {
    to.send(frame, () => {
      if (to.bufferedBytes <= MAX_WAITING_BYTES) from.read(true);
    });
    if (to.bufferedBytes > MAX_WAITING_BYTES) from.read(false);
  });
}
