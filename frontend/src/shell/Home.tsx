/** Where `/` leads: the channel one was in last, or a first step. */
import { Button, Center, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect } from "react";
import { useLocation } from "wouter";
import { Logo } from "../app/Logo";
import { joined } from "../live/state";
import { readLastChannel } from "../live/shelf";
import { useLive, useShell } from "./context";
import { pickChannels, pickMe } from "./pick";
import { TopBar } from "./TopBar";

export function Home() {
  const { open } = useShell();
  const me = useLive(pickMe);
  const channels = useLive(pickChannels);
  const [, navigate] = useLocation();

  useEffect(() => {
    const mine = channels?.filter(joined) ?? [];
    const last = readLastChannel(me.id);
    const target = mine.find((one) => one.id === last) ?? mine.find((one) => one.name === "general") ?? mine[0];
    if (target) navigate(`/c/${target.id}`, { replace: true });
  }, [channels, me.id, navigate]);

  if (!channels || channels.some(joined)) return <TopBar title="" />;
  const guest = me.role === "guest";
  return (
    <>
      <TopBar title={me.organization.name} />
      <Center flex={1} p="lg">
        <Stack align="center" gap="sm" maw={420}>
          <Logo size={48} />
          <Title order={2} size="h3" ta="center">
            A fresh start
          </Title>
          <Text c="dimmed" ta="center">
            {guest
              ? "Channels are where a team talks, one topic each. They appear here once somebody adds you to them."
              : "Channels are where a team talks, one topic each. Begin with one for everybody, such as “general”."}
          </Text>
          {!guest && (
            <Group>
              <Button onClick={() => open("new-channel")}>Create a channel</Button>
              <Button variant="default" onClick={() => open("browse")}>
                Browse channels
              </Button>
            </Group>
          )}
        </Stack>
      </Center>
    </>
  );
}
