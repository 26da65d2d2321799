/** Keeps the newest message in view while one is at the end, and the text one reads in place while one is not. */
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type RefObject } from "react";

const NEAR_END_PX = 60;
const NEAR_TOP_PX = 500;
/** How far below the top a message stands that one came for: what was said before it gives it sense. */
export const TARGET_TOP_PX = 120;

interface Anchor {
  key: string;
  top: number;
}

export interface Scroll {
  box: RefObject<HTMLDivElement | null>;
  inner: RefObject<HTMLDivElement | null>;
  onScroll: () => void;
  following: boolean;
  toEnd: () => void;
  /** Put the row with this key near the top; it must be there already. */
  show: (key: string) => void;
}

interface Options {
  /** Changes whenever the rows do. */
  rows: unknown;
  nearTop: () => void;
  nearEnd: () => void;
  /** The last row on screen is the newest there is. */
  live: boolean;
}

export function useScroll({ rows, nearTop, nearEnd, live }: Options): Scroll {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const anchor = useRef<Anchor | null>(null);
  const [following, setFollowing] = useState(true);

  const settle = useCallback(() => {
    const element = box.current;
    if (!element) return;
    if (stuck.current) element.scrollTop = element.scrollHeight;
    else restore(element, anchor.current);
  }, []);

  useLayoutEffect(settle, [rows, settle]);

  // The composer grows, the window turns, a picture arrives: the place one reads stays.
  useEffect(() => {
    const observer = new ResizeObserver(settle);
    if (box.current) observer.observe(box.current);
    if (inner.current) observer.observe(inner.current);
    return () => observer.disconnect();
  }, [settle]);

  // Where the rows do not fill the box nothing scrolls, and the past must come on its own.
  useEffect(() => {
    const element = box.current;
    if (element && element.scrollTop < NEAR_TOP_PX) nearTop();
  }, [rows, nearTop]);

  const onScroll = () => {
    const element = box.current;
    if (!element) return;
    const left = element.scrollHeight - element.scrollTop - element.clientHeight;
    stuck.current = live && left < NEAR_END_PX;
    setFollowing(stuck.current);
    anchor.current = stuck.current ? null : find(element);
    if (element.scrollTop < NEAR_TOP_PX) nearTop();
    if (!live && left < NEAR_TOP_PX) nearEnd();
  };

  const toEnd = () => {
    stuck.current = true;
    setFollowing(true);
    settle();
  };

  const show = (key: string) => {
    stuck.current = false;
    anchor.current = { key, top: TARGET_TOP_PX };
    settle();
    // Where it could not go that far up, or nothing scrolls, this may be the end all the same.
    onScroll();
  };

  return { box, inner, onScroll, following, toEnd, show };
}

function find(box: HTMLElement): Anchor | null {
  const top = box.getBoundingClientRect().top;
  for (const row of box.querySelectorAll<HTMLElement>("[data-key]")) {
    const rect = row.getBoundingClientRect();
    if (rect.bottom > top) return { key: row.dataset.key ?? "", top: rect.top - top };
  }
  return null;
}

function restore(box: HTMLElement, anchor: Anchor | null): void {
  if (!anchor) return;
  const row = box.querySelector<HTMLElement>(`[data-key="${CSS.escape(anchor.key)}"]`);
  if (!row) return;
  const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) > 0.5) box.scrollTop += moved;
}
