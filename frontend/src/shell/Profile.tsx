/** My name, my time zone, and whether a mail comes each morning. */
import { Alert, Anchor, Button, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import * as api from "../api/api";
import { useSession } from "../auth/session";
import { useForm } from "../auth/useForm";
import { changesOf } from "../people/profile";
import { browserZone, timeIn, zoneChoices, zoneWords } from "../people/zones";
import { useLive, useWorkspace } from "./context";
import { pickMe } from "./pick";

export function Profile({ close }: { close: () => void }) {
  const session = useSession();
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const [zone, setZone] = useState(me.time_zone);
  const [digest, setDigest] = useState(me.digest);
  const form = useForm({ name: me.name, time_zone: "" }, async ({ name }) => {
    const changes = changesOf(me, { name: name.trim(), time_zone: zone, digest });
    if (changes) {
      const { user } = await api.me.change(changes);
      session.renamed({ ...me, ...user });
      await workspace.refreshPeople().catch(() => undefined);
    }
    close();
  });
  return (
    <form onSubmit={form.submit}>
      <Stack gap="md">
        {form.problem && (
          <Alert color="red" role="alert">
            {form.problem}
          </Alert>
        )}
        <TextInput {...form.field("name")} label="Name" description="This is how others see and mention you." required data-autofocus />
        <ZoneField zone={zone} setZone={setZone} problem={form.field("time_zone").error} />
        <Switch
          label="Daily digest"
          description="A mail in the morning with mentions and replies that you have not read. None on quiet days."
          checked={digest}
          onChange={(event) => setDigest(event.currentTarget.checked)}
          data-testid="digest"
        />
        <Button type="submit" loading={form.busy}>
          Save
        </Button>
      </Stack>
    </form>
  );
}

interface ZoneProps {
  zone: string;
  setZone: (zone: string) => void;
  problem: string | null;
}

function ZoneField({ zone, setZone, problem }: ZoneProps) {
  const own = browserZone();
  const choices = useMemo(() => zoneChoices([zone, own]), [zone, own]);
  const time = timeIn(zone);
  return (
    <div>
      <Select
        label="Time zone"
        description={time ? `It is ${time} there now.` : "Decides when your morning is."}
        data={choices}
        value={zone}
        onChange={(value) => value && setZone(value)}
        searchable
        allowDeselect={false}
        selectFirstOptionOnChange
        nothingFoundMessage="No time zone is called that."
        limit={80}
        // Whoever begins to type means another zone, not a longer name of this one.
        onClick={(event) => event.currentTarget.select()}
        // Enter chooses here; it must not also send the form, with whatever was chosen before.
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        maxDropdownHeight={220}
        error={problem}
        data-testid="time-zone"
      />
      {own !== zone && (
        <Text size="xs" mt={6} c="dimmed">
          This device is in another one.{" "}
          <Anchor component="button" type="button" size="xs" onClick={() => setZone(own)}>
            Use {zoneWords(own)}
          </Anchor>
        </Text>
      )}
    </div>
  );
}
