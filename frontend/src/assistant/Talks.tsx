/** My conversations with the assistant, latest first. */
import { ActionIcon, Button, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";
import { assistant, type TalkSummary } from "../api/assistant";
import { fromNow } from "../chat/time";
import type { List } from "../live/list";
import type { Pages } from "../sync/paging";
import { Older, Problem } from "../shell/Page";
import { tellError } from "../shell/tell";
import classes from "./assistant.module.css";

interface Props {
  list: List<TalkSummary>;
  pages: Pages<TalkSummary> | null;
  problem: string | null;
  loading: boolean;
  talkId: string | null;
}

export function Talks({ list, pages, problem, loading, talkId }: Props) {
  const [, navigate] = useLocation();
  const remove = (talk: TalkSummary) =>
    modals.openConfirmModal({
      title: "Delete this conversation?",
      children: "Its questions and answers are gone. What they were answered from stays.",
      labels: { confirm: "Delete", cancel: "Keep" },
      confirmProps: { color: "red" },
      onConfirm: () => {
        assistant.removeTalk(talk.id).then(() => {
          list.put(talk.id, null);
          if (talk.id === talkId) navigate("/assistant");
        }, tellError);
      },
    });
  return (
    <nav aria-label="Conversations" data-testid="talks">
      <Button component={Link} href="/assistant" fullWidth size="xs" variant="light" leftSection={<IconPlus size={15} />} mb="sm">
        New conversation
      </Button>
      {problem && <Problem text={problem} again={() => void list.refresh()} />}
      {pages?.rows.length === 0 && (
        <Text size="sm" c="dimmed">
          What you ask is kept here, for you alone.
        </Text>
      )}
      <ul className={classes.talks}>
        {pages?.rows.map((talk) => (
          <li key={talk.id} data-active={talk.id === talkId}>
            <Link href={`/assistant/${talk.id}`} aria-current={talk.id === talkId ? "page" : undefined}>
              <span className={classes.talkTitle}>{talk.title}</span>
              <span className={classes.talkTime}>{fromNow(talk.updated_at)}</span>
            </Link>
            <ActionIcon size="sm" variant="subtle" color="gray" aria-label={`Delete the conversation ${talk.title}`} onClick={() => remove(talk)}>
              <IconTrash size={15} />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <Older next={pages?.next ?? null} loading={loading} more={() => void list.more()} />
    </nav>
  );
}
