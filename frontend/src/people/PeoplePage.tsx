/** Everybody in the organization; owners and admins change roles and who may come in. */
import { Badge, Button, Select, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconUserPlus, IconUsers } from "@tabler/icons-react";
import { useEffect } from "react";
import * as api from "../api/api";
import type { Person, Role } from "../api/types";
import { byName } from "../live/state";
import { ExportCard } from "../reports/ExportCard";
import { ExportMenu } from "../reports/ExportMenu";
import { useLive, useShell, useWorkspace } from "../shell/context";
import { PersonMark } from "../shell/PersonMark";
import { pickMe, pickPeople, pickPresence } from "../shell/pick";
import classes from "../shell/shell.module.css";
import { tellError } from "../shell/tell";
import { TopBar } from "../shell/TopBar";
import { manages, outranks, ROLE_WORDS, rolesFor } from "./roles";

export default function PeoplePage() {
  const { open, workspace } = useShell();
  const me = useLive(pickMe);
  const people = useLive(pickPeople);
  useEffect(() => void workspace.refreshPeople().catch(tellError), [workspace]);
  const list = byName(Object.values(people)).sort((a, b) => Number(b.active !== false) - Number(a.active !== false));
  const manager = manages(me.role);
  return (
    <>
      <TopBar title="People" icon={<IconUsers size={20} aria-hidden="true" />}>
        {manager && (
          <>
            <ExportMenu label="Export the list of people" report={{ kind: "members", channelId: null, name: "people" }} />
            <Button size="xs" leftSection={<IconUserPlus size={16} />} onClick={() => open("invite")}>
              Invite
            </Button>
          </>
        )}
      </TopBar>
      <ExportCard place="members" />
      <div className={classes.page}>
        <div className={classes.pageBody}>
          {list.map((person) => (
            <PersonRow key={person.id} person={person} />
          ))}
        </div>
      </div>
    </>
  );
}

function PersonRow({ person }: { person: Person }) {
  const me = useLive(pickMe);
  const presence = useLive(pickPresence);
  const active = person.active !== false;
  return (
    <div className={classes.row}>
      <PersonMark id={person.id} name={person.name} presence={presence[person.id] ?? "offline"} />
      <div className={classes.label} style={{ minWidth: 140 }}>
        <Text fw={600} truncate c={active ? undefined : "dimmed"}>
          {person.name}
          {person.id === me.id && (
            <Text span c="dimmed" size="sm">
              {" "}
              you
            </Text>
          )}
        </Text>
        <Text size="sm" c="dimmed" truncate>
          {person.email}
        </Text>
      </div>
      {outranks(me.role, person.role) && person.id !== me.id ? (
        <Controls person={person} active={active} />
      ) : (
        <Badge variant="light" color="gray" tt="none">
          {ROLE_WORDS[person.role]}
        </Badge>
      )}
    </div>
  );
}

function Controls({ person, active }: { person: Person; active: boolean }) {
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const change = async (body: { role?: Role; active?: boolean }) => {
    try {
      const { user } = await api.people.change(person.id, body);
      workspace.putPerson({ ...person, ...body, ...user });
    } catch (error) {
      tellError(error);
    }
  };
  const deactivate = () =>
    modals.openConfirmModal({
      title: `Deactivate ${person.name}?`,
      children: <Text size="sm">They are signed out everywhere at once. Their messages stay. You can undo this.</Text>,
      labels: { confirm: "Deactivate", cancel: "Keep" },
      confirmProps: { color: "red" },
      onConfirm: () => void change({ active: false }),
    });
  const roles = rolesFor(me.role);
  return (
    <div className={classes.controls}>
      <Select
        aria-label={`Role of ${person.name}`}
        size="xs"
        w={110}
        data={roles}
        value={person.role}
        allowDeselect={false}
        disabled={!active}
        onChange={(value) => {
          const role = roles.find((one) => one.value === value)?.value;
          if (role && role !== person.role) void change({ role });
        }}
      />
      {active ? (
        <Button size="xs" variant="subtle" color="red" onClick={deactivate}>
          Deactivate
        </Button>
      ) : (
        <Button size="xs" variant="light" onClick={() => void change({ active: true })}>
          Let back in
        </Button>
      )}
    </div>
  );
}
