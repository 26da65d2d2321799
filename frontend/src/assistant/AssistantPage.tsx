/** The assistant: conversations on one side, answers in the middle, sources on the other. */
import { ActionIcon, Drawer, Text, Title } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconHistory, IconSparkles } from "@tabler/icons-react";
import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useLocation, useSearch } from "wouter";
import { assistant } from "../api/assistant";
import type { AnswerView } from "../live/answers";
import { useStore } from "../live/store";
import { useWorkspace } from "../shell/context";
import { Placeholders, Problem } from "../shell/Page";
import shell from "../shell/shell.module.css";
import { tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";
import { useList } from "../shell/useList";
import { Answer } from "./Answer";
import { Ask } from "./Ask";
import classes from "./assistant.module.css";
import { SourcePanel } from "./Source";
import { Talks } from "./Talks";
import { useTalk } from "./useTalk";

interface Chosen {
  answer: string;
  number: number;
}

async function loadTalks(cursor: string | null, limit: number) {
  const page = await assistant.talks(cursor, limit);
  return { rows: page.conversations, next: page.next };
}

export default function AssistantPage({ talkId }: { talkId: string | null }) {
  const { answers } = useWorkspace();
  const narrow = useMediaQuery("(max-width: 800px)", false, { getInitialValueInEffect: false });
  const [, navigate] = useLocation();
  const first = new URLSearchParams(useSearch()).get("question") ?? "";
  const { talk, added, again } = useTalk(talkId);
  const talks = useList(loadTalks);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [drawer, setDrawer] = useState(false);
  useEffect(() => {
    setChosen(null);
    setDrawer(false);
  }, [talkId]);

  const ask = useCallback(
    async (question: string) => {
      try {
        const { answer } = await assistant.ask(question, talkId);
        answers.asked(answer.id, question);
        added(answer.conversation_id, answer.id);
        if (answer.conversation_id !== talkId) navigate(`/assistant/${answer.conversation_id}`);
        void talks.list.refresh();
        return true;
      } catch (error) {
        tellError(error);
        return false;
      }
    },
    [answers, added, navigate, talkId, talks.list],
  );
  const choose = useCallback((answer: string, number: number) => setChosen({ answer, number }), []);
  const list = <Talks {...talks} talkId={talkId} />;
  const title = talks.pages?.rows.find((one) => one.id === talkId)?.title;
  return (
    <>
      <TopBar title={title ?? "Assistant"} icon={<IconSparkles size={20} aria-hidden="true" className={shell.topIcon} />}>
        {narrow && (
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Conversations" onClick={() => setDrawer(true)}>
            <IconHistory size={20} />
          </ActionIcon>
        )}
      </TopBar>
      <div className={classes.columns}>
        {narrow ? (
          <Drawer opened={drawer} onClose={() => setDrawer(false)} position="right" size={310} title="Conversations" closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }}>
            {list}
          </Drawer>
        ) : (
          <div className={classes.side}>{list}</div>
        )}
        <section className={classes.middle} aria-label="Conversation">
          <Scroll count={talk.ids.length}>
            {talk.loading && <Placeholders />}
            {talk.problem && <Problem text={talk.problem} again={again} />}
            {talkId === null && <Welcome />}
            {talk.ids.map((id) => (
              <Answer
                key={id}
                id={id}
                chosen={chosen?.answer === id ? chosen.number : null}
                choose={choose}
                again={(question) => void ask(question)}
              />
            ))}
          </Scroll>
          <Ask key={`${talkId ?? ""}/${first}`} first={first} ask={ask} follows={talk.ids.length > 0} />
        </section>
        {chosen && <Beside key={`${chosen.answer}/${chosen.number}`} chosen={chosen} close={() => setChosen(null)} />}
      </div>
    </>
  );
}

function Beside({ chosen, close }: { chosen: Chosen; close: () => void }) {
  const { answers } = useWorkspace();
  const answer = useStore(
    answers.state,
    useCallback((state: Record<string, AnswerView>) => state[chosen.answer], [chosen.answer]),
  );
  const citation = answer?.citations.find((one) => one.number === chosen.number);
  return <SourcePanel number={chosen.number} citation={citation} close={close} />;
}

/** Keep the end in view while it grows, unless somebody scrolled up to read. */
function Scroll({ count, children }: { count: number; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  useEffect(() => {
    following.current = true;
  }, [count]);
  useEffect(() => {
    const scroll = () => {
      if (box.current && following.current) box.current.scrollTop = box.current.scrollHeight;
    };
    const observer = new ResizeObserver(scroll);
    if (inner.current) observer.observe(inner.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div
      className={classes.scroll}
      ref={box}
      tabIndex={0}
      role="group"
      aria-label="Questions and answers"
      onScroll={({ currentTarget: at }) => {
        following.current = at.scrollHeight - at.scrollTop - at.clientHeight < 60;
      }}
    >
      <div className={classes.inner} ref={inner}>
        {children}
      </div>
    </div>
  );
}

function Welcome() {
  return (
    <div className={classes.welcome}>
      <IconSparkles size={34} className={classes.spark} aria-hidden="true" />
      <Title order={2} size="h3" ta="center">
        What would you like to know?
      </Title>
      <Text c="dimmed" ta="center" maw={460}>
        The assistant answers from the documents and messages that you may read, and shows the sentence that each answer came
        from. Where they do not hold an answer, it says so.
      </Text>
      <Text c="dimmed" size="sm" ta="center" maw={460}>
        In a channel, begin a message with <b>/ask</b>, or mention <b>@assistant</b>.
      </Text>
    </div>
  );
}
