// What Dawn writes to a worker's stderr while it looks for a GPU on a machine that has none. It can not be told not to, and
// nothing is wrong: the worker says itself what it computes on.

/** The loader and Dawn write these, each followed by where in Dawn that was and an empty line. */
const note = /^Warning: (Couldn't load Vulkan|loader_\w+:|terminator_\w+:|vkCreateInstance\b)/;
const place = /^ {4}at .*[\\/]dawn[\\/]/;

/** Passes lines on, without those notes. Everything else stays, other warnings of Dawn too. */
export function withoutDriverSearch(onLine: (line: string) => void): (line: string) => void {
  let isNote = false;
  return (line) => {
    if (note.test(line)) isNote = true;
    else if (!isNote || (line !== '' && !place.test(line))) {
      isNote = false;
      onLine(line);
    } else if (line === '') isNote = false;
  };
}
