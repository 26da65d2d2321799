/** The order in which the quick switcher offers channels. */
import type { Channel } from "../api/types";

/** Answer how well a name fits: 0 begins with it, 1 a word does, 2 holds it, 3 holds its letters in order; else null. */
export function fit(name: string, query: string): number | null {
  const hay = name.toLowerCase();
  if (hay.startsWith(query)) return 0;
  if (hay.split(/[\s\-_.]+/).some((word) => word.startsWith(query))) return 1;
  if (hay.includes(query)) return 2;
  let at = -1;
  for (const letter of query) {
    at = hay.indexOf(letter, at + 1);
    if (at < 0) return null;
  }
  return 3;
}

/** Sort channels by fit; unread ones first where they fit alike. */
export function rank(channels: readonly Channel[], text: string): Channel[] {
  const query = text.trim().toLowerCase();
  return channels
    .flatMap((channel) => {
      const score = fit(channel.name, query);
      return score === null ? [] : [{ channel, score }];
    })
    .sort(
      (a, b) =>
        a.score - b.score ||
        b.channel.mentions - a.channel.mentions ||
        Math.sign(b.channel.unread) - Math.sign(a.channel.unread) ||
        a.channel.name.localeCompare(b.channel.name),
    )
    .map(({ channel }) => channel);
}
