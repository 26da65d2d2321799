/** Where I am signed in, and the means to end it. */
import { Badge, Button, Text } from "@mantine/core";
import { IconDeviceDesktop, IconDeviceMobile, IconDevices } from "@tabler/icons-react";
import { useCallback, useEffect, useState } from "react";
import * as api from "../api/api";
import { sentence } from "../api/errors";
import type { Session } from "../api/types";
import { fullTime, fromNow } from "../chat/time";
import { Placeholders, Problem } from "../shell/Page";
import classes from "../shell/shell.module.css";
import { tell, tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";

export default function SessionsPage() {
  const [sessions, setSessions] = useState<Session[] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  const load = useCallback(async () => {
    try {
      const list = await api.me.sessions();
      setSessions(list.sort((a, b) => Number(b.current) - Number(a.current) || b.seen_at.localeCompare(a.seen_at)));
      setProblem(null);
    } catch (error) {
      setProblem(sentence(error));
    }
  }, []);
  useEffect(() => void load(), [load]);

  const run = async (work: () => Promise<unknown>, done: string) => {
    try {
      await work();
      tell(done);
    } catch (error) {
      tellError(error);
    }
    await load();
  };

  const others = sessions?.filter((one) => !one.current).length ?? 0;
  return (
    <>
      <TopBar title="My sessions" icon={<IconDevices size={20} aria-hidden="true" />}>
        {others > 0 && (
          <Button
            size="xs"
            color="red"
            variant="light"
            data-testid="revoke-others"
            onClick={() => void run(api.me.revokeOthers, "All other devices are signed out.")}
          >
            Sign out all others
          </Button>
        )}
      </TopBar>
      <div className={classes.page}>
        <div className={classes.pageBody}>
          <Text c="dimmed" size="sm" py="xs">
            Every device that is signed in as you. Ending a session takes effect at once.
          </Text>
          {problem && <Problem text={problem} again={() => void load()} />}
          {!sessions && !problem && <Placeholders />}
          {sessions?.map((session) => (
            <Row
              key={session.id}
              session={session}
              revoke={() => void run(() => api.me.revoke(session.id), "That device is signed out.")}
            />
          ))}
        </div>
      </div>
    </>
  );
}

function Row({ session, revoke }: { session: Session; revoke: () => void }) {
  const Icon = /phone|android|ios|ipad/i.test(session.device) ? IconDeviceMobile : IconDeviceDesktop;
  return (
    <div className={classes.row} data-testid="sessions-row" data-current={session.current}>
      <Icon size={24} stroke={1.5} aria-hidden="true" />
      <div className={classes.label} style={{ minWidth: 160 }}>
        <Text fw={600} truncate>
          {session.device || "Unknown device"}
        </Text>
        <Text size="sm" c="dimmed" style={{ whiteSpace: "normal" }} title={`Signed in ${fullTime(session.created_at)}`}>
          {session.address} · signed in {fromNow(session.created_at)} · seen {fromNow(session.seen_at)}
        </Text>
      </div>
      {session.current ? (
        <Badge variant="light" tt="none">
          This device
        </Badge>
      ) : (
        <Button size="xs" variant="default" onClick={revoke} data-testid="revoke-session">
          Sign out
        </Button>
      )}
    </div>
  );
}
