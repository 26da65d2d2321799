/** A forgotten password: ask for the link, and use it. */
import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import * as api from "../api/api";
import { AuthLayout } from "./AuthLayout";
import { useSession } from "./session";
import { useForm } from "./useForm";

export function Forgot() {
  const [sent, setSent] = useState(false);
  const form = useForm({ email: "" }, async ({ email }) => {
    await api.auth.forgot(email);
    setSent(true);
  });
  if (sent) {
    return (
      <AuthLayout title="Look into your mail">
        <Text>
          If {form.values.email} has an account here, a link to choose a new password is on its way. It works once, and
          not for long.
        </Text>
        <Anchor component={Link} href="/signin">
          Back to sign in
        </Anchor>
      </AuthLayout>
    );
  }
  return (
    <AuthLayout title="Forgot your password?" intro="We send you a link to choose a new one." problem={form.problem}>
      <form onSubmit={form.submit}>
        <Stack gap="md">
          <TextInput {...form.field("email")} label="Email" type="email" autoComplete="username" required autoFocus />
          <Button type="submit" loading={form.busy} size="md">
            Send the link
          </Button>
          <Anchor component={Link} href="/signin" size="sm">
            Back to sign in
          </Anchor>
        </Stack>
      </form>
    </AuthLayout>
  );
}

export function Reset({ token }: { token: string }) {
  const session = useSession();
  const form = useForm({ password: "" }, async ({ password }) => {
    await api.auth.reset({ token, password });
    // Whether the answer also signs in is the server's choice: ask it who we are.
    const { user } = await api.me.get({ anonymous: true }).catch(() => ({ user: null }));
    if (user) session.entered(user);
    else session.left(false);
  });
  return (
    <AuthLayout title="Choose a new password" intro="All other devices are signed out." problem={form.problem}>
      <form onSubmit={form.submit}>
        <Stack gap="md">
          <PasswordInput
            {...form.field("password")}
            label="New password"
            autoComplete="new-password"
            required
            autoFocus
          />
          <Button type="submit" loading={form.busy} size="md">
            Save and go on
          </Button>
        </Stack>
      </form>
    </AuthLayout>
  );
}
