/** Invite somebody: a role, an address, and a link to hand over. */
import { Alert, Button, Code, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";
import * as api from "../api/api";
import type { Role } from "../api/types";
import { useForm } from "../auth/useForm";
import { useLive } from "../shell/context";
import { copyText } from "../shell/copy";
import { pickMe } from "../shell/pick";
import { tellError } from "../shell/tell";
import { rolesFor } from "./roles";

export function Invite() {
  const me = useLive(pickMe);
  const [role, setRole] = useState<Role>("member");
  const [link, setLink] = useState<string | null>(null);
  const [copied, setCopied] = useState<string | null>(null);
  const form = useForm({ email: "" }, async ({ email }) => {
    const { token } = await api.people.invite({ email: email.trim(), role });
    setLink(`${window.location.origin}/invite/${encodeURIComponent(token)}`);
  });
  if (link) {
    return (
      <Stack gap="md">
        <Text size="sm">An invitation is on its way to {form.values.email}. You can also hand over this link:</Text>
        <Code block data-testid="invite-link" style={{ overflowWrap: "anywhere", whiteSpace: "pre-wrap" }}>
          {link}
        </Code>
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setLink(null)}>
            Invite another
          </Button>
          <Button
            onClick={() => void copyText(link).then(() => setCopied(link), tellError)}
            leftSection={copied === link ? <IconCheck size={16} /> : <IconCopy size={16} />}
          >
            {copied === link ? "Copied" : "Copy link"}
          </Button>
        </Group>
      </Stack>
    );
  }
  return (
    <form onSubmit={form.submit}>
      <Stack gap="md">
        {form.problem && (
          <Alert color="red" role="alert">
            {form.problem}
          </Alert>
        )}
        <TextInput {...form.field("email")} label="Email" type="email" required data-autofocus />
        <Select
          label="Role"
          data={rolesFor(me.role)}
          value={role}
          allowDeselect={false}
          onChange={(value) => setRole(rolesFor(me.role).find((one) => one.value === value)?.value ?? "member")}
        />
        <Button type="submit" loading={form.busy}>
          Create invitation
        </Button>
      </Stack>
    </form>
  );
}
