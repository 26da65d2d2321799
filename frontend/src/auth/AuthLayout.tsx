/** The frame of every page on the way in. */
import { Alert, Group, Stack, Text, Title } from "@mantine/core";
import { useEffect, type ReactNode } from "react";
import { Logo } from "../app/Logo";
import classes from "./auth.module.css";

interface Props {
  title: string;
  intro?: ReactNode;
  notice?: string | null;
  problem?: string | null;
  children: ReactNode;
}

export function AuthLayout({ title, intro, notice, problem, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Dashify`;
  }, [title]);
  return (
    <div className={classes.page}>
      <aside className={classes.side} aria-hidden="true">
        <Logo size={36} />
        <div>
          <div className={classes.dashes}>
            <span />
            <span />
            <span />
          </div>
          <p className={classes.words}>A quiet place for a team to talk, and to find it again.</p>
        </div>
        <p className={classes.small}>On your own machines. Nothing leaves them.</p>
      </aside>
      <main className={classes.main}>
        <Stack className={classes.card} gap="lg">
          <Group gap="xs" hiddenFrom="sm">
            <Logo size={30} />
            <Text fw={700}>Dashify</Text>
          </Group>
          <div>
            <Title order={1} size={28} lh={1.2}>
              {title}
            </Title>
            {intro && (
              <Text c="dimmed" mt={6}>
                {intro}
              </Text>
            )}
          </div>
          {notice && (
            <Alert color="spruce" role="status">
              {notice}
            </Alert>
          )}
          {problem && (
            <Alert color="red" role="alert">
              {problem}
            </Alert>
          )}
          {children}
        </Stack>
      </main>
    </div>
  );
}
