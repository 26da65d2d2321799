/** Start a new organization, as its owner. */
import { Anchor, Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { Link } from "wouter";
import * as api from "../api/api";
import { AuthLayout } from "./AuthLayout";
import { useSession } from "./session";
import { useForm } from "./useForm";
import { withZone } from "./zoned";

export function SignUp() {
  const session = useSession();
  const form = useForm({ organization: "", name: "", email: "", password: "" }, async (values) => {
    session.entered((await withZone(values, api.auth.signup)).user);
  });
  return (
    <AuthLayout
      title="Start your workspace"
      intro="One for your whole team. You can invite people in a moment."
      problem={form.problem}
    >
      <form onSubmit={form.submit} data-testid="signup-form">
        <Stack gap="md">
          <TextInput
            {...form.field("organization")}
            label="Organization"
            placeholder="Acme"
            autoComplete="organization"
            required
            autoFocus
          />
          <TextInput {...form.field("name")} label="Your name" autoComplete="name" required />
          <TextInput {...form.field("email")} label="Email" type="email" autoComplete="username" required />
          <PasswordInput {...form.field("password")} label="Password" autoComplete="new-password" required />
          <Button type="submit" loading={form.busy} size="md">
            Create workspace
          </Button>
          <Text size="sm" c="dimmed">
            Already have an account?{" "}
            <Anchor component={Link} href="/signin" size="sm">
              Sign in
            </Anchor>
          </Text>
        </Stack>
      </form>
    </AuthLayout>
  );
}
