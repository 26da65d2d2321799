/** Change the name others see. */
import { Alert, Button, Stack, TextInput } from "@mantine/core";
import * as api from "../api/api";
import { useSession } from "../auth/session";
import { useForm } from "../auth/useForm";
import { useLive, useWorkspace } from "./context";
import { pickMe } from "./pick";

export function Profile({ close }: { close: () => void }) {
  const session = useSession();
  const workspace = useWorkspace();
  const me = useLive(pickMe);
  const form = useForm({ name: me.name }, async ({ name }) => {
    const { user } = await api.me.rename(name.trim());
    session.renamed({ ...me, ...user });
    await workspace.refreshPeople().catch(() => undefined);
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
        <Button type="submit" loading={form.busy}>
          Save
        </Button>
      </Stack>
    </form>
  );
}
