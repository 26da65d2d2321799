/** Accept an invitation: name and password are all it takes. */
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import * as api from "../api/api";
import { AuthLayout } from "./AuthLayout";
import { useSession } from "./session";
import { useForm } from "./useForm";

export function Invite({ token }: { token: string }) {
  const session = useSession();
  const form = useForm({ name: "", password: "" }, async (values) => {
    session.entered((await api.auth.accept({ token, ...values })).user);
  });
  return (
    <AuthLayout
      title="You are invited"
      intro="Choose how your name appears and a password, and you are in."
      problem={form.problem}
    >
      <form onSubmit={form.submit} data-testid="invite-accept-form">
        <Stack gap="md">
          <TextInput {...form.field("name")} label="Your name" autoComplete="name" required autoFocus />
          <PasswordInput {...form.field("password")} label="Password" autoComplete="new-password" required />
          <Button type="submit" loading={form.busy} size="md">
            Join the workspace
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
