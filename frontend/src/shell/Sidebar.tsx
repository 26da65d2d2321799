/** The way around: channels, people, and oneself. */
import { ActionIcon, Button, Kbd, Menu, Skeleton, Stack, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { IconCompass, IconFiles, IconHash, IconLock, IconPlus, IconSearch, IconSparkles, IconUserPlus } from "@tabler/icons-react";
import { Link, useLocation } from "wouter";
import { Logo } from "../app/Logo";
import type { Channel } from "../api/types";
import { byName, joined } from "../live/state";
import { manages } from "../people/roles";
import { useLive, useShell } from "./context";
import { MeMenu } from "./MeMenu";
import { PresenceDot } from "./PersonMark";
import { pickChannels, pickMe, pickPeople, pickPresence } from "./pick";
import classes from "./shell.module.css";

export function Sidebar() {
  const { open } = useShell();
  const me = useLive(pickMe);
  return (
    <nav className={classes.sidebar} aria-label="Workspace">
      <div className={classes.org}>
        <Logo size={28} />
        <span className={classes.orgName}>{me.organization.name}</span>
      </div>
      <UnstyledButton className={classes.jump} onClick={() => open("switcher")}>
        <IconSearch size={15} aria-hidden="true" />
        <span>Search or jump to…</span>
        <Kbd size="xs">{/Mac/.test(navigator.userAgent) ? "⌘K" : "Ctrl K"}</Kbd>
      </UnstyledButton>
      <div className={classes.lists}>
        <Places />
        <Channels />
        <People />
      </div>
      <MeMenu />
    </nav>
  );
}

const PLACES: { href: string; label: string; Icon: typeof IconFiles }[] = [
  { href: "/assistant", label: "Assistant", Icon: IconSparkles },
  { href: "/documents", label: "Documents", Icon: IconFiles },
  { href: "/search", label: "Search", Icon: IconSearch },
];

function Places() {
  const [path] = useLocation();
  return (
    <section aria-label="Places">
      {PLACES.map(({ href, label, Icon }) => {
        const active = path === href || path.startsWith(`${href}/`);
        return (
          <Link key={href} href={href} className={classes.link} data-active={active} aria-current={active ? "page" : undefined}>
            <Icon size={17} aria-hidden="true" />
            <span className={classes.label}>{label}</span>
          </Link>
        );
      })}
    </section>
  );
}

function Channels() {
  const guest = useLive(pickMe).role === "guest";
  const channels = useLive(pickChannels);
  const mine = channels?.filter(joined);
  return (
    <section aria-label="Channels">
      <div className={classes.section}>
        <span>Channels</span>
        {!guest && <AddChannel />}
      </div>
      {!mine && <Placeholders />}
      {mine?.length === 0 && (
        <Text size="sm" c="dimmed" px={8} py={4}>
          {guest ? "No channels yet. You see one here once you are added to it." : "No channels yet. Create one, or browse those of others."}
        </Text>
      )}
      {mine?.map((channel) => <ChannelLink key={channel.id} channel={channel} />)}
    </section>
  );
}

function AddChannel() {
  const { open } = useShell();
  return (
    <Menu position="bottom-end" width={200}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label="Add a channel" data-testid="new-channel">
          <IconPlus size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconPlus size={16} />} onClick={() => open("new-channel")}>
          Create a channel
        </Menu.Item>
        <Menu.Item leftSection={<IconCompass size={16} />} onClick={() => open("browse")}>
          Browse channels
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Placeholders() {
  return (
    <Stack gap={12} p={8} aria-hidden="true">
      {[70, 50, 82, 60].map((width) => (
        <Skeleton key={width} h={12} w={`${width}%`} />
      ))}
    </Stack>
  );
}

export function ChannelIcon({ channel, size = 16 }: { channel: Pick<Channel, "private">; size?: number }) {
  return channel.private ? <IconLock size={size} aria-label="private" /> : <IconHash size={size} aria-hidden="true" />;
}

function ChannelLink({ channel }: { channel: Channel }) {
  const [path] = useLocation();
  const href = `/c/${channel.id}`;
  const active = path === href || path.startsWith(`${href}/`);
  const count = channel.mentions || channel.unread;
  return (
    <Link
      href={href}
      className={classes.link}
      data-testid="channel-link"
      data-channel-name={channel.name}
      data-active={active}
      data-unread={channel.unread > 0}
      aria-current={active ? "page" : undefined}
    >
      <ChannelIcon channel={channel} />
      <span className={classes.label}>{channel.name}</span>
      {count > 0 && (
        <span
          className={classes.badge}
          data-testid="unread-badge"
          data-mention={channel.mentions > 0}
          aria-label={channel.mentions > 0 ? `${count} mentions of you` : `${count} unread`}
        >
          {count > 99 ? "99+" : count}
        </span>
      )}
    </Link>
  );
}

const RANK = { online: 0, away: 1, offline: 2 };

function People() {
  const { open } = useShell();
  const me = useLive(pickMe);
  const people = useLive(pickPeople);
  const presence = useLive(pickPresence);
  const rank = (id: string) => RANK[presence[id] ?? "offline"];
  const list = byName(Object.values(people).filter((one) => one.active !== false))
    .sort((a, b) => rank(a.id) - rank(b.id))
    .slice(0, 30);
  const inviter = manages(me.role);
  return (
    <section aria-label="People">
      <div className={classes.section}>
        <Link href="/people" style={{ color: "inherit", textDecoration: "none" }}>
          People
        </Link>
        {inviter && (
          <Tooltip label="Invite someone">
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label="Invite someone"
              onClick={() => open("invite")}
            >
              <IconUserPlus size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {list.map((person) => (
        <Link key={person.id} href="/people" className={classes.link}>
          <PresenceDot state={presence[person.id] ?? "offline"} />
          <span className={classes.label}>
            {person.name}
            {person.id === me.id && (
              <Text span size="xs" c="dimmed">
                {" "}
                you
              </Text>
            )}
          </span>
        </Link>
      ))}
      {inviter && list.length === 1 && (
        <Button variant="light" size="xs" fullWidth mt={8} onClick={() => open("invite")}>
          Invite your team
        </Button>
      )}
    </section>
  );
}
