/** The audit log of my organization: who did what, when, and whether the log is what it was. */
import { Group, Select, Text } from "@mantine/core";
import { IconHistory } from "@tabler/icons-react";
import { useCallback, useMemo, useState } from "react";
import * as api from "../api/api";
import type { AuditCheck } from "../api/types";
import { byName } from "../live/state";
import { ExportCard } from "../reports/ExportCard";
import { ExportMenu } from "../reports/ExportMenu";
import { useLive } from "../shell/context";
import { AdminsOnly, Older, Placeholders, Problem } from "../shell/Page";
import { pickPeople } from "../shell/pick";
import classes from "../shell/shell.module.css";
import { TopBar } from "../shell/TopBar";
import { useList } from "../shell/useList";
import { Check } from "./Check";
import { EntryRow } from "./EntryRow";
import { actionChoices } from "./words";

export default function AuditPage() {
  return (
    <AdminsOnly title="Audit log">
      <TopBar title="Audit log" icon={<IconHistory size={20} aria-hidden="true" className={classes.topIcon} />}>
        <ExportMenu label="Export the audit log" report={{ kind: "audit", channelId: null, name: "audit log" }} />
      </TopBar>
      <ExportCard place="audit" />
      <div className={classes.page}>
        <div className={classes.pageBody}>
          <Log />
        </div>
      </div>
    </AdminsOnly>
  );
}

function Log() {
  const [action, setAction] = useState<string | null>(null);
  const [actor, setActor] = useState<string | null>(null);
  const [check, setCheck] = useState<AuditCheck | null>(null);
  const load = useCallback(
    async (cursor: string | null, limit: number) => {
      const { entries, next } = await api.audit.page({ action, actor_id: actor }, cursor, limit);
      return { rows: entries, next };
    },
    [action, actor],
  );
  const { list, pages, problem, loading } = useList(load);
  const refresh = () => void list.refresh();
  return (
    <>
      <Check check={check} setCheck={setCheck} />
      <Filters action={action} setAction={setAction} actor={actor} setActor={setActor} seen={pages?.rows.map((one) => one.action)} />
      {problem && <Problem text={problem} again={refresh} />}
      {!pages && !problem && <Placeholders />}
      {pages?.rows.map((entry) => (
        <EntryRow key={entry.id} entry={entry} broken={entry.id === check?.broken_at} />
      ))}
      {pages?.rows.length === 0 && (
        <Text c="dimmed" py="md">
          {action || actor ? "Nothing in the log is of this kind." : "Nothing is in the log yet."}
        </Text>
      )}
      {pages && <Older next={pages.next} loading={loading} more={() => void list.more()} />}
    </>
  );
}

interface FilterProps {
  action: string | null;
  setAction: (action: string | null) => void;
  actor: string | null;
  setActor: (actor: string | null) => void;
  seen: string[] | undefined;
}

function Filters({ action, setAction, actor, setActor, seen }: FilterProps) {
  const people = useLive(pickPeople);
  const persons = useMemo(() => byName(Object.values(people)).map((one) => ({ value: one.id, label: one.name })), [people]);
  const actions = useMemo(() => actionChoices([...(seen ?? []), ...(action ? [action] : [])]), [seen, action]);
  return (
    <Group gap="xs" py="xs" grow>
      <Select
        aria-label="What was done"
        placeholder="Everything"
        data={actions}
        value={action}
        onChange={setAction}
        searchable
        clearable
        nothingFoundMessage="Nothing is called that."
        data-testid="audit-action"
      />
      <Select
        aria-label="Who did it"
        placeholder="Everybody"
        data={persons}
        value={actor}
        onChange={setActor}
        searchable
        clearable
        limit={100}
        nothingFoundMessage="Nobody is called that."
        data-testid="audit-actor"
      />
    </Group>
  );
}
