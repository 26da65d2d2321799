/** Create a channel, for everybody or for a few. */
import { Alert, Button, MultiSelect, Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import { useForm } from "../auth/useForm";
import { byName } from "../live/state";
import { useLive, useWorkspace } from "./context";
import { pickMe, pickPeople } from "./pick";

export function NewChannel({ close }: { close: () => void }) {
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const people = useLive(pickPeople);
  const [hidden, setHidden] = useState(false);
  const [members, setMembers] = useState<string[]>([]);
  const [, navigate] = useLocation();
  const form = useForm({ name: "" }, async ({ name }) => {
    const body = { name: name.trim(), private: hidden, ...(hidden ? { member_ids: members } : {}) };
    const { channel } = await api.channels.create(body);
    workspace.putChannel({ joined: true, ...channel });
    void workspace.refreshChannels().catch(() => undefined);
    close();
    navigate(`/c/${channel.id}`);
  });
  const others = byName(Object.values(people).filter((one) => one.id !== me.id && one.active !== false));
  return (
    <form onSubmit={form.submit}>
      <Stack gap="md">
        {form.problem && (
          <Alert color="red" role="alert">
            {form.problem}
          </Alert>
        )}
        <TextInput {...form.field("name")} label="Name" placeholder="design" required data-autofocus maxLength={80} />
        <Switch
          label="Private"
          description={hidden ? "Only those you add can see it." : "Everybody in the workspace can find and join it."}
          checked={hidden}
          onChange={(event) => setHidden(event.currentTarget.checked)}
        />
        {hidden && (
          <MultiSelect
            label="Members"
            placeholder={members.length === 0 ? "Who belongs here?" : undefined}
            searchable
            hidePickedOptions
            // Below it the list would lie on the button that one needs next.
            comboboxProps={{ position: "top", middlewares: { flip: false, shift: true } }}
            data={others.map((one) => ({ value: one.id, label: one.name }))}
            value={members}
            onChange={setMembers}
          />
        )}
        <Button type="submit" loading={form.busy}>
          Create channel
        </Button>
      </Stack>
    </form>
  );
}
