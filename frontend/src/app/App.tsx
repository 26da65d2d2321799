/** Decides what somebody sees: the workspace, or the way in. */
import { Button, Center, Loader, Stack, Text } from "@mantine/core";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { Route, Switch, useLocation } from "wouter";
import * as api from "../api/api";
import { ApiError } from "../api/errors";
import type { Me } from "../api/types";
import { SessionContext, type Session } from "../auth/session";
import { Logo } from "./Logo";

const Entrance = lazy(() => import("../auth/Entrance"));
const Shell = lazy(() => import("../shell/Shell"));

type Who = { kind: "asking" } | { kind: "nobody" } | { kind: "unreachable" } | { kind: "me"; me: Me };

const ENDED = "Your session has ended. Sign in again to carry on where you were.";

export function App() {
  const [who, setWho] = useState<Who>({ kind: "asking" });
  const [notice, setNotice] = useState<string | null>(null);
  const [, navigate] = useLocation();

  const ask = useCallback(async () => {
    setWho({ kind: "asking" });
    try {
      setWho({ kind: "me", me: (await api.me.get({ anonymous: true })).user });
    } catch (error) {
      const nobody = error instanceof ApiError && error.status === 401;
      setWho({ kind: nobody ? "nobody" : "unreachable" });
    }
  }, []);

  useEffect(() => void ask(), [ask]);

  const session: Session = {
    notice,
    entered: (me) => {
      setNotice(null);
      const next = new URLSearchParams(window.location.search).get("next");
      // Only a path of our own: anything else could send people to another site after they signed in.
      navigate(next?.startsWith("/") && !next.startsWith("//") ? next : "/", { replace: true });
      setWho({ kind: "me", me });
    },
    left: (ended) => {
      setNotice(ended ? ENDED : null);
      const { pathname } = window.location;
      navigate(ended && pathname !== "/" ? `/signin?next=${encodeURIComponent(pathname)}` : "/signin");
      setWho({ kind: "nobody" });
    },
    renamed: (me) => setWho({ kind: "me", me }),
  };

  return (
    <SessionContext value={session}>
      <Suspense fallback={<Waiting />}>
        <Switch>
          <Route path="/invite/:token">{() => <Entrance />}</Route>
          <Route path="/reset/:token">{() => <Entrance />}</Route>
          <Route>
            {who.kind === "asking" && <Waiting />}
            {who.kind === "unreachable" && <Unreachable again={() => void ask()} />}
            {who.kind === "nobody" && <Entrance />}
            {who.kind === "me" && <Shell key={who.me.id} me={who.me} />}
          </Route>
        </Switch>
      </Suspense>
    </SessionContext>
  );
}

function Waiting() {
  return (
    <Center h="100dvh">
      <Loader type="dots" aria-label="Loading Dashify" />
    </Center>
  );
}

function Unreachable({ again }: { again: () => void }) {
  return (
    <Center h="100dvh" p="lg">
      <Stack align="center" gap="sm">
        <Logo size={44} />
        <Text fw={600}>Dashify is catching its breath</Text>
        <Text c="dimmed" ta="center">
          It cannot be reached right now. Nothing is lost.
        </Text>
        <Button onClick={again}>Try again</Button>
      </Stack>
    </Center>
  );
}
