/** The bell at the top of every place, with what is unread. */
import { ActionIcon } from "@mantine/core";
import { IconBell } from "@tabler/icons-react";
import { useLive, useShell } from "../shell/context";
import { pickNotices } from "../shell/pick";
import classes from "./notifications.module.css";
import { bellWords } from "./words";

export function Bell() {
  const { showNotifications } = useShell();
  const { unread } = useLive(pickNotices);
  const { label, badge } = bellWords(unread);
  return (
    <ActionIcon
      className={classes.bell}
      size="lg"
      variant="subtle"
      color="gray"
      aria-label={label}
      title="Notifications"
      aria-haspopup="dialog"
      data-testid="bell"
      onClick={showNotifications}
    >
      <IconBell size={20} />
      {badge && (
        <span className={classes.count} aria-hidden="true" data-testid="bell-count">
          {badge}
        </span>
      )}
    </ActionIcon>
  );
}
