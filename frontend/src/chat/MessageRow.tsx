/** One message: who, when, what, and what can be done with it. */
import { Button, UnstyledButton } from "@mantine/core";
import { IconArrowBackUp, IconMessage } from "@tabler/icons-react";
import { memo, useState } from "react";
import type { Me, Message, Person, PresenceState } from "../api/types";
import { AssistantMark, ChannelAnswer } from "../assistant/ChannelAnswer";
import { ASSISTANT_ID, ASSISTANT_NAME } from "../assistant/words";
import { PersonMark } from "../shell/PersonMark";
import { mentions } from "../sync/unread";
import { Edit } from "./Edit";
import type { Actions } from "./actions";
import { Markdown } from "./Markdown";
import { plain } from "./markdown";
import classes from "./message.module.css";
import { Reactions } from "./Reactions";
import type { Row } from "./rows";
import { clockTime, dayName, fullTime, narrowTime } from "./time";
import { Tools } from "./Tools";

export interface RowContext {
  me: Me;
  people: Record<string, Person>;
  names: readonly string[];
  presence: Record<string, PresenceState>;
  actions: Actions;
  /** The pane is a thread: hints about threads would only repeat what it shows. */
  inThread: boolean;
}

interface Props {
  row: Row;
  context: RowContext;
  editing: boolean;
  replies: number;
  root: Message | undefined;
  /** The one somebody came for. */
  target: boolean;
}

export const MessageRow = memo(function MessageRow(props: Props) {
  const { row, context, target } = props;
  const { shown, first, newDay, newMark } = row;
  const { message, state } = shown;
  const { me, people, presence } = context;
  const machine = message.author_id === ASSISTANT_ID;
  const name = machine ? ASSISTANT_NAME : (people[message.author_id]?.name ?? (message.author_id === me.id ? me.name : "Someone"));
  const mentioned = message.author_id !== me.id && mentions(message.text, me.name);
  return (
    <>
      {newDay && (
        <div className={classes.divider} role="separator">
          {dayName(message.created_at)}
        </div>
      )}
      {newMark && (
        <div className={classes.divider} data-new="true" role="separator" data-testid="new-mark">
          New messages
        </div>
      )}
      <article
        className={classes.row}
        data-testid="message"
        data-message-id={message.id}
        data-key={shown.key}
        data-state={state}
        data-first={first}
        data-mine-mentioned={mentioned}
        data-target={target}
        aria-label={`${name}, ${clockTime(message.created_at)}`}
      >
        <div className={classes.gutter}>
          {first && machine ? (
            <AssistantMark />
          ) : first ? (
            <PersonMark id={message.author_id} name={name} presence={presence[message.author_id]} />
          ) : (
            <span className={classes.hourOnHover}>{narrowTime(message.created_at)}</span>
          )}
        </div>
        <div>
          {first && (
            <div className={classes.head}>
              <span className={classes.name}>{name}</span>
              <time className={classes.time} dateTime={message.created_at} title={fullTime(message.created_at)}>
                {clockTime(message.created_at)}
              </time>
            </div>
          )}
          <Body {...props} />
        </div>
      </article>
    </>
  );
});

function Body({ row, context, editing, replies, root }: Props) {
  const { message, state, reason } = row.shown;
  const { me, people, names, actions, inThread } = context;
  const [open, setOpen] = useState(false);
  if (message.deleted_at) return <div className={classes.deleted}>This message was deleted.</div>;
  return (
    <>
      {message.thread_id && !inThread && <Hint message={message} root={root} context={context} />}
      {editing ? (
        <Edit text={message.text} save={(text) => actions.save(message, text)} cancel={() => actions.edit(null)} />
      ) : message.author_id === ASSISTANT_ID ? (
        <ChannelAnswer message={message} />
      ) : (
        <Markdown text={message.text} names={names} myName={me.name} />
      )}
      {message.edited_at && !editing && (
        <span className={classes.edited} title={fullTime(message.edited_at)}>
          edited
        </span>
      )}
      {state === "failed" && <Failed reason={reason} clientId={message.id} actions={actions} />}
      <Reactions
        message={message}
        myId={me.id}
        people={people}
        react={(emoji, on) => actions.react(message, emoji, on)}
      />
      {replies > 0 && !inThread && (
        <UnstyledButton className={classes.hint} onClick={() => actions.thread(message.id)}>
          <IconMessage size={15} aria-hidden="true" />
          <span>{replies === 1 ? "1 reply" : `${replies} replies`}</span>
        </UnstyledButton>
      )}
      {state === "sent" && !editing && (
        <div className={classes.tools} data-open={open}>
          <Tools message={message} context={context} onOpen={setOpen} />
        </div>
      )}
    </>
  );
}

function Hint({ message, root, context }: { message: Message; root: Message | undefined; context: RowContext }) {
  const author = root && (root.author_id === ASSISTANT_ID ? ASSISTANT_NAME : (context.people[root.author_id]?.name ?? "someone"));
  const words = root?.text ? `${author ?? ""}: ${plain(root.text.slice(0, 240)).slice(0, 120)}` : "an earlier message";
  return (
    <UnstyledButton
      className={classes.hint}
      data-testid="thread-hint"
      onClick={() => context.actions.thread(message.thread_id ?? message.id)}
    >
      <IconArrowBackUp size={15} aria-hidden="true" />
      <span>Reply to {words}</span>
    </UnstyledButton>
  );
}

function Failed({ reason, clientId, actions }: { reason: string | null; clientId: string; actions: Actions }) {
  return (
    <div className={classes.failed} role="alert">
      <span>Not sent. {reason}</span>
      <Button size="compact-xs" variant="light" onClick={() => actions.retry(clientId)} data-testid="retry">
        Try again
      </Button>
      <Button
        size="compact-xs"
        variant="subtle"
        color="gray"
        onClick={() => actions.discard(clientId)}
        data-testid="discard"
      >
        Discard
      </Button>
    </div>
  );
}
