/** Who is typing here. */
import { ASSISTANT_ID, ASSISTANT_NAME } from "../assistant/words";
import { useLive } from "../shell/context";
import { pickPeople, pickTyping } from "../shell/pick";

export function TypingLine({ channelId }: { channelId: string }) {
  const typing = useLive(pickTyping)[channelId] ?? [];
  const people = useLive(pickPeople);
  const [first] = typing;
  if (first?.userId === ASSISTANT_ID && typing.length === 1) return <span data-testid="typing">The assistant is looking for an answer…</span>;
  const names = typing.map((one) => (one.userId === ASSISTANT_ID ? ASSISTANT_NAME : (people[one.userId]?.name ?? "Someone")));
  return <span data-testid="typing">{words(names)}</span>;
}

function words(names: readonly string[]): string {
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0] ?? ""} is typing…`;
  if (names.length === 2) return `${names[0] ?? ""} and ${names[1] ?? ""} are typing…`;
  return "Several people are typing…";
}
