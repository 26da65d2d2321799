/** My notifications, in a panel that slides in; on a phone it fills the page. */
import { Button, Drawer, Stack, Text } from "@mantine/core";
import { useCallback, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { sentence } from "../api/errors";
import type { Notice } from "../api/types";
import { useLive, useWorkspace } from "../shell/context";
import { Older, Placeholders, Problem } from "../shell/Page";
import { pickNotices } from "../shell/pick";
import { tellError } from "../shell/tell";
import { NoticeRow } from "./NoticeRow";
import { pathOf } from "./words";

interface Props {
  opened: boolean;
  close: () => void;
}

export function Panel({ opened, close }: Props) {
  return (
    <Drawer
      opened={opened}
      onClose={close}
      position="right"
      size={420}
      title="Notifications"
      padding="md"
      closeButtonProps={{ "aria-label": "Close" }}
      styles={{ title: { fontWeight: 650, fontSize: 18 } }}
      data-testid="notifications"
    >
      {opened && <Notifications close={close} />}
    </Drawer>
  );
}

function Notifications({ close }: { close: () => void }) {
  const workspace = useWorkspace();
  const { rows, unread, next, loaded } = useLive(pickNotices);
  const [problem, setProblem] = useState<string | null>(null);
  const [loading, setLoading] = useState(false);
  const [, navigate] = useLocation();

  const refresh = useCallback(() => {
    workspace.notices.refresh().then(
      () => setProblem(null),
      (error: unknown) => setProblem(sentence(error)),
    );
  }, [workspace]);
  // Names and messages may have changed, or gone, since these were read.
  useEffect(refresh, [refresh]);

  const follow = (notice: Notice) => {
    close();
    // The state makes it a new visit also where the page is the same.
    navigate(pathOf(notice), { state: { visit: Date.now() } });
    void workspace.notices.markRead(notice.id).catch(() => undefined);
  };
  const more = () => {
    setLoading(true);
    void workspace.notices
      .more()
      .catch(tellError)
      .finally(() => setLoading(false));
  };
  if (!loaded) return problem ? <Problem text={problem} again={refresh} /> : <Placeholders />;
  return (
    <Stack gap="xs">
      {problem && <Problem text={problem} again={refresh} />}
      {unread > 0 && (
        <Button
          size="xs"
          variant="default"
          data-testid="read-all"
          style={{ alignSelf: "flex-start" }}
          onClick={() => void workspace.notices.markAllRead().catch(tellError)}
        >
          Mark all as read
        </Button>
      )}
      {rows.length === 0 && next === null && <Nothing />}
      <ul style={{ listStyle: "none", margin: 0, padding: 0 }} aria-label="Notifications">
        {rows.map((notice) => (
          <NoticeRow key={notice.id} notice={notice} follow={follow} />
        ))}
      </ul>
      <Older next={next} loading={loading} more={more} />
    </Stack>
  );
}

function Nothing() {
  return (
    <Text c="dimmed" size="sm" py="md">
      Nothing here yet. You hear of it when somebody mentions you with @ and your name, or replies in a thread of yours.
    </Text>
  );
}
