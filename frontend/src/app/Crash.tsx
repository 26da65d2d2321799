/** What is shown when the page itself fails: a way on, and no blank screen. */
import { Button, Center, Stack, Text, Title } from "@mantine/core";
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Logo } from "./Logo";

export class Crash extends Component<{ children: ReactNode }, { failed: boolean }> {
  state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  componentDidCatch(error: Error, info: ErrorInfo): void {
    console.error(error, info.componentStack);
  }

  render(): ReactNode {
    if (!this.state.failed) return this.props.children;
    return (
      <Center h="100dvh" p="lg">
        <Stack align="center" gap="sm" maw={380}>
          <Logo size={44} />
          <Title order={1} size="h3" ta="center">
            This page tripped
          </Title>
          <Text c="dimmed" ta="center">
            Your messages are safe, and unsent ones are kept. Reloading usually helps.
          </Text>
          <Button onClick={() => window.location.reload()}>Reload</Button>
        </Stack>
      </Center>
    );
  }
}
