/** Who is typing here. */
import { useLive } from "../shell/context";
import { pickPeople, pickTyping } from "../shell/pick";

export function TypingLine({ channelId }: { channelId: string }) {
  const typing = useLive(pickTyping)[channelId] ?? [];
  const people = useLive(pickPeople);
  const names = typing.map((one) => people[one.userId]?.name ?? "Someone");
  return <span data-testid="typing">{words(names)}</span>;
}

function words(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0] ?? ""} is typing…`;
  if (names.length === 2) return `${names[0] ?? ""} and ${names[1] ?? ""} are typing…`;
  return "Several people are typing…";
}
