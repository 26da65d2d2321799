/** One's own corner: profile, colors, sessions, what admins look after, the way out. */
import { Menu, SegmentedControl, Text, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconDevices, IconHistory, IconKeyboard, IconLogout, IconSelector, IconSparkles, IconStack2, IconUser, IconUsers } from "@tabler/icons-react";
import { useLocation } from "wouter";
import * as api from "../api/api";
import { useSession } from "../auth/session";
import { manages } from "../people/roles";
import { useLive, useShell } from "./context";
import { PersonMark } from "./PersonMark";
import { pickConnected, pickMe } from "./pick";
import classes from "./shell.module.css";
import { tellError } from "./tell";

export function MeMenu() {
  const { open, workspace } = useShell();
  const session = useSession();
  const me = useLive(pickMe);
  const connected = useLive(pickConnected);
  const [, navigate] = useLocation();

  const leave = async () => {
    try {
      await api.auth.logout();
    } catch (error) {
      tellError(error);
      return;
    }
    workspace.stop();
    session.left(false);
  };

  return (
    <Menu position="top-start" width={248} offset={4}>
      <Menu.Target>
        <UnstyledButton className={classes.me} aria-label="My menu" data-testid="my-menu">
          <PersonMark id={me.id} name={me.name} size={32} presence={connected ? "online" : "offline"} />
          <span className={classes.label}>
            <Text fw={600} size="sm" truncate>
              {me.name}
            </Text>
            <Text size="xs" c="dimmed" truncate>
              {me.email}
            </Text>
          </span>
          <IconSelector size={16} aria-hidden="true" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => open("profile")}>
          My profile
        </Menu.Item>
        <Menu.Item leftSection={<IconDevices size={16} />} onClick={() => navigate("/sessions")}>
          My sessions
        </Menu.Item>
        <Menu.Item leftSection={<IconUsers size={16} />} onClick={() => navigate("/people")}>
          People
        </Menu.Item>
        <Menu.Item leftSection={<IconKeyboard size={16} />} onClick={() => open("help")}>
          Keyboard shortcuts
        </Menu.Item>
        {manages(me.role) && (
          <>
            <Menu.Divider />
            <Menu.Label>Administration</Menu.Label>
            <Menu.Item leftSection={<IconStack2 size={16} />} onClick={() => navigate("/queues")}>
              Queues
            </Menu.Item>
            <Menu.Item leftSection={<IconHistory size={16} />} onClick={() => navigate("/audit")}>
              Audit log
            </Menu.Item>
            <Menu.Item leftSection={<IconSparkles size={16} />} onClick={() => navigate("/assistant/settings")}>
              Assistant
            </Menu.Item>
          </>
        )}
        <Menu.Divider />
        <Colors />
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()} data-testid="sign-out">
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const SCHEMES = ["light", "dark", "auto"] as const;

function Colors() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <SegmentedControl
      fullWidth
      size="xs"
      aria-label="Colors"
      value={colorScheme}
      onChange={(value) => setColorScheme(SCHEMES.find((scheme) => scheme === value) ?? "auto")}
      data={[
        { value: "light", label: "Light" },
        { value: "dark", label: "Dark" },
        { value: "auto", label: "Auto" },
      ]}
    />
  );
}
