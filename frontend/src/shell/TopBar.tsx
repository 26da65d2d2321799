/** The line at the top of every place, with the way to the sidebar on a phone. */
import { ActionIcon, UnstyledButton } from "@mantine/core";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { useEffect, type ReactNode } from "react";
import { Bell } from "../notifications/Bell";
import { useLive, useShell } from "./context";
import { pickChannels } from "./pick";
import classes from "./shell.module.css";

interface Props {
  title: string;
  icon?: ReactNode;
  children?: ReactNode;
}

export function TopBar({ title, icon, children }: Props) {
  const { open, showSidebar } = useShell();
  const channels = useLive(pickChannels);
  const waiting = channels?.reduce((sum, one) => sum + one.mentions, 0) ?? 0;
  useEffect(() => {
    document.title = `${waiting > 0 ? `(${waiting}) ` : ""}${title || "Dashify"}${title ? " · Dashify" : ""}`;
  }, [title, waiting]);
  return (
    <header className={classes.top}>
      <ActionIcon
        className={classes.burger}
        variant="subtle"
        color="gray"
        size="lg"
        aria-label="Show channels and people"
        onClick={showSidebar}
      >
        <IconMenu2 size={20} />
      </ActionIcon>
      {icon}
      <h1>{title}</h1>
      <div className={classes.topEnd}>
        {children}
        <UnstyledButton className={classes.find} onClick={() => open("switcher")} aria-label="Search" data-testid="top-search">
          <IconSearch size={17} aria-hidden="true" />
          <span>Search</span>
        </UnstyledButton>
        <Bell />
      </div>
    </header>
  );
}
