/** Accept an invitation: name and password are all it takes. */
import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import * as api from "../api/api";
import { ApiError } from "../api/errors";
import type { InvitationPreview } from "../api/types";
import { Link } from "wouter";
import { AuthLayout } from "./AuthLayout";
import { useSession } from "./session";
import { useForm } from "./useForm";
import { withZone } from "./zoned";

export function Invite({ token }: { token: string }) {
  const session = useSession();
  const form = useForm({ name: "", password: "" }, async (values) => {
    session.entered((await withZone({ token, ...values }, api.auth.accept)).user);
  });
  const { preview, spent } = usePreview(token);
  if (spent) {
    return (
      <AuthLayout
        title="This invitation is not open any more"
        intro="It was accepted, replaced, or has grown too old; or its link is not whole. Ask whoever invited you for a new one."
      >
        <Button component={Link} href="/signin" variant="default" size="md">
          Sign in instead
        </Button>
      </AuthLayout>
    );
  }
  return (
    <AuthLayout
      title={preview ? `Join ${preview.organization}` : "You are invited"}
      intro={
        preview
          ? `${preview.invited_by || "A colleague"} invites ${preview.email}. Choose how your name appears and a password, and you are in.`
          : "Choose how your name appears and a password, and you are in."
      }
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

/** Who invites to what; `spent` where the invitation can no longer be accepted. */
function usePreview(token: string): { preview: InvitationPreview | null; spent: boolean } {
  const [preview, setPreview] = useState<InvitationPreview | null>(null);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    // Whatever else goes wrong here, the form still works and says what does not.
    api.auth.preview(token).then(setPreview, (error: unknown) => setGone(error instanceof ApiError && error.status === 404));
  }, [token]);
  return { preview, spent: gone };
}
