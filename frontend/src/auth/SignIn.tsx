/** Sign in with email and password. */
import { Anchor, Button, Group, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useEffect } from "react";
import { Link, useLocation } from "wouter";
import * as api from "../api/api";
import { AuthLayout } from "./AuthLayout";
import { useSession } from "./session";
import { useForm } from "./useForm";

const PLACES = ["/signin", "/"];

export function SignIn() {
  const session = useSession();
  const [path, navigate] = useLocation();
  const form = useForm({ email: "", password: "" }, async (values) => {
    session.entered((await api.auth.login(values)).user);
  });

  // Somebody who came for a page of the workspace gets there after signing in.
  useEffect(() => {
    if (!PLACES.includes(path)) navigate(`/signin?next=${encodeURIComponent(path)}`, { replace: true });
  }, [path, navigate]);

  return (
    <AuthLayout title="Welcome back" notice={session.notice} problem={form.problem}>
      <form onSubmit={form.submit} data-testid="signin-form">
        <Stack gap="md">
          <TextInput {...form.field("email")} label="Email" type="email" autoComplete="username" required autoFocus />
          <PasswordInput {...form.field("password")} label="Password" autoComplete="current-password" required />
          <Button type="submit" loading={form.busy} size="md">
            Sign in
          </Button>
          <Group justify="space-between">
            <Anchor component={Link} href="/forgot" size="sm">
              Forgot your password?
            </Anchor>
            <Text size="sm" c="dimmed">
              New here?{" "}
              <Anchor component={Link} href="/signup" size="sm">
                Start a workspace
              </Anchor>
            </Text>
          </Group>
        </Stack>
      </form>
    </AuthLayout>
  );
}
