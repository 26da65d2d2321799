/** What pages with a list have in common: what is shown while there is none, where it fails, and to whom it is closed. */
import { Alert, Button, Center, Group, Skeleton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocation } from "wouter";
import { manages } from "../people/roles";
import { useLive } from "./context";
import { pickMe } from "./pick";
import { TopBar } from "./TopBar";

/** Show `children` to owners and admins; tell others whose page this is. */
export function AdminsOnly({ title, children }: { title: string; children: ReactNode }) {
  const me = useLive(pickMe);
  const [, navigate] = useLocation();
  if (manages(me.role)) return children;
  return (
    <>
      <TopBar title={title} />
      <Center flex={1} p="lg">
        <Stack align="center" gap="sm">
          <Text fw={600} ta="center">
            Only owners and admins look after this.
          </Text>
          <Button variant="default" onClick={() => navigate("/")}>
            To my channels
          </Button>
        </Stack>
      </Center>
    </>
  );
}

export function Problem({ text, again }: { text: string; again: () => void }) {
  return (
    <Alert color="red" role="alert" my="sm">
      <Group justify="space-between" gap="xs">
        <Text size="sm" style={{ overflowWrap: "anywhere" }}>
          {text}
        </Text>
        <Button size="xs" variant="default" onClick={again}>
          Try again
        </Button>
      </Group>
    </Alert>
  );
}

export function Placeholders() {
  return (
    <Stack gap="lg" py="md" aria-hidden="true">
      {[1, 2, 3].map((row) => (
        <Skeleton key={row} h={36} />
      ))}
    </Stack>
  );
}

export function Older({ next, loading, more }: { next: string | null; loading: boolean; more: () => void }) {
  if (next === null) return null;
  return (
    <Center py="md">
      <Button variant="default" size="xs" loading={loading} onClick={more} data-testid="older">
        Show older ones
      </Button>
    </Center>
  );
}
