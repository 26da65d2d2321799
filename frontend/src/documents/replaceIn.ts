/** Changes a text area as typing does, so that undo takes it back. */
import type { Selected } from "./editing";

export function replaceIn(area: HTMLTextAreaElement, next: Selected): void {
  const before = area.value;
  let from = 0;
  while (from < before.length && from < next.text.length && before.charAt(from) === next.text.charAt(from)) from += 1;
  let end = 0;
  const most = Math.min(before.length, next.text.length) - from;
  while (end < most && before.charAt(before.length - 1 - end) === next.text.charAt(next.text.length - 1 - end)) end += 1;
  area.focus();
  area.setSelectionRange(from, before.length - end);
  const inserted = next.text.slice(from, next.text.length - end);
  // There is no other way yet that browsers can undo.
  const done = inserted ? globalThis.document.execCommand("insertText", false, inserted) : globalThis.document.execCommand("delete");
  if (!done) {
    area.setRangeText(inserted, from, before.length - end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
  area.setSelectionRange(next.start, next.end);
}
