/** Offsets: the server counts Unicode code points, strings of the browser count UTF-16 units. */

export interface Range {
  start: number;
  end: number;
}

/** Turn a range of code points into one of UTF-16 units; what lies beyond the text ends with it. */
export function unitsOf(text: string, points: Range): Range {
  let point = 0;
  let unit = 0;
  const walk = (goal: number): number => {
    while (point < goal && unit < text.length) {
      unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
      point += 1;
    }
    return unit;
  };
  const start = walk(Math.max(0, points.start));
  return { start, end: walk(Math.max(points.start, points.end)) };
}

/** Count code points without making a list of them. */
export function countPoints(text: string): number {
  let count = text.length;
  for (let unit = 0; unit < text.length - 1; unit += 1) {
    if ((text.codePointAt(unit) ?? 0) > 0xffff) {
      count -= 1;
      unit += 1;
    }
  }
  return count;
}

export interface Piece {
  text: string;
  marked: boolean;
}

/** Cut a text at ranges of code points, in order, into marked and plain pieces; ranges may overlap and overshoot. */
export function pieces(text: string, marks: readonly (readonly [number, number])[]): Piece[] {
  const points = [...text];
  const out: Piece[] = [];
  let at = 0;
  const add = (end: number, marked: boolean) => {
    if (end > at) out.push({ text: points.slice(at, end).join(""), marked });
    at = Math.max(at, end);
  };
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    add(Math.min(start, points.length), false);
    add(Math.min(end, points.length), true);
  }
  add(points.length, false);
  return out;
}

/** Cut the text that stands at `at` in a document where a range of it begins and ends. */
export function cut(text: string, at: number, mark: Range | null): Piece[] {
  const start = mark ? Math.min(Math.max(mark.start - at, 0), text.length) : 0;
  const end = mark ? Math.min(Math.max(mark.end - at, 0), text.length) : 0;
  if (end <= start) return [{ text, marked: false }];
  return [
    { text: text.slice(0, start), marked: false },
    { text: text.slice(start, end), marked: true },
    { text: text.slice(end), marked: false },
  ].filter((piece) => piece.text !== "");
}
