/** The signed-in page: sidebar, the place in the middle, dialogs, and the keys that work everywhere. */
import { Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Route, Switch, useLocation } from "wouter";
import { setHooks } from "../api/http";
import type { Me } from "../api/types";
import { useSession } from "../auth/session";
import { Workspace } from "../live/workspace";
import { Place } from "../chat/Place";
import { whereIn } from "../chat/where";
import { Hearing } from "../notifications/Hearing";
import { Panel } from "../notifications/Panel";
import { ShellContext, type Dialog, type ShellValue } from "./context";
import { Dialogs } from "./Dialogs";
import { Home } from "./Home";
import classes from "./shell.module.css";
import { Sidebar } from "./Sidebar";
import { StatusBar } from "./StatusBar";
import { useShortcuts } from "./useShortcuts";

const AssistantPage = lazy(() => import("../assistant/AssistantPage"));
const AssistantSettingsPage = lazy(() => import("../assistant/SettingsPage"));
const AuditPage = lazy(() => import("../audit/AuditPage"));
const DocumentPage = lazy(() => import("../documents/DocumentPage"));
const DocumentsPage = lazy(() => import("../documents/DocumentsPage"));
const PeoplePage = lazy(() => import("../people/PeoplePage"));
const QueuesPage = lazy(() => import("../queues/QueuesPage"));
const SearchPage = lazy(() => import("../search/SearchPage"));
const SessionsPage = lazy(() => import("../sessions/SessionsPage"));

export default function Shell({ me }: { me: Me }) {
  const session = useSession();
  const [workspace, setWorkspace] = useState<Workspace | null>(null);

  // One workspace for as long as this person is signed in: a new `me` object (a new name) must not start another.
  useEffect(() => {
    const created = new Workspace(me, () => session.left(true));
    setHooks({
      unauthenticated: () => created.end(),
      strained: (strained) => created.state.set({ strained }),
    });
    created.start();
    setWorkspace(created);
    return () => {
      created.stop();
      setHooks({ unauthenticated: () => undefined, strained: () => undefined });
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- see above; Shell is keyed by the person's id
  }, []);

  useEffect(() => workspace?.state.set({ me }), [workspace, me]);

  return workspace && <Frame workspace={workspace} />;
}

function Frame({ workspace }: { workspace: Workspace }) {
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const [drawer, setDrawer] = useState(false);
  const [panel, setPanel] = useState(false);
  const [path] = useLocation();
  const narrow = useMediaQuery("(max-width: 800px)", false, { getInitialValueInEffect: false });
  const value = useMemo<ShellValue>(
    () => ({
      workspace,
      open: setDialog,
      showSidebar: () => setDrawer(true),
      showNotifications: () => setPanel(true),
    }),
    [workspace],
  );
  useShortcuts(workspace, setDialog, dialog !== null || panel);
  useEffect(() => setDrawer(false), [path, dialog]);
  useEffect(() => setPanel(false), [path]);

  return (
    <ShellContext value={value}>
      <div className={classes.frame}>
        {narrow ? (
          <Drawer
            opened={drawer}
            onClose={() => setDrawer(false)}
            size={290}
            withCloseButton={false}
            padding={0}
            aria-label="Channels and people"
            classNames={{ body: classes.drawer }}
          >
            <Sidebar />
          </Drawer>
        ) : (
          <Sidebar />
        )}
        <main className={classes.main}>
          <StatusBar />
          <Suspense fallback={null}>
            <Switch>
              <Route path="/c/:channel/*?">
                {({ channel, "*": rest }) => <Place key={channel} channelId={channel} {...whereIn(rest)} />}
              </Route>
              <Route path="/documents">
                <DocumentsPage folderId={null} />
              </Route>
              <Route path="/documents/in/:folder">{({ folder }) => <DocumentsPage key={folder} folderId={folder} />}</Route>
              <Route path="/documents/:id">{({ id }) => <DocumentPage key={id} id={id} />}</Route>
              <Route path="/search">
                <SearchPage />
              </Route>
              <Route path="/assistant/settings">
                <AssistantSettingsPage />
              </Route>
              <Route path="/assistant/:talk?">{({ talk }) => <AssistantPage talkId={talk ?? null} />}</Route>
              <Route path="/people">
                <PeoplePage />
              </Route>
              <Route path="/sessions">
                <SessionsPage />
              </Route>
              <Route path="/queues/:queue?">{({ queue }) => <QueuesPage queue={queue ?? null} />}</Route>
              <Route path="/audit">
                <AuditPage />
              </Route>
              <Route>
                <Home />
              </Route>
            </Switch>
          </Suspense>
        </main>
        <Hearing />
        <Panel opened={panel} close={() => setPanel(false)} />
        <Dialogs dialog={dialog} close={() => setDialog(null)} />
      </div>
    </ShellContext>
  );
}
