/** Whichever dialog is open. */
import { Kbd, Modal, Table } from "@mantine/core";
import { Invite } from "../people/Invite";
import { Browse } from "./Browse";
import type { Dialog } from "./context";
import { NewChannel } from "./NewChannel";
import { Profile } from "./Profile";
import { Switcher } from "./Switcher";

interface Props {
  dialog: Dialog | null;
  close: () => void;
}

const TITLES: Record<Dialog, string> = {
  "new-channel": "Create a channel",
  browse: "Browse channels",
  switcher: "Search or jump to a channel",
  help: "Keyboard shortcuts",
  invite: "Invite someone",
  profile: "My profile",
};

export function Dialogs({ dialog, close }: Props) {
  const quick = dialog === "switcher";
  return (
    <Modal
      opened={dialog !== null}
      onClose={close}
      title={dialog && !quick ? TITLES[dialog] : undefined}
      aria-label={dialog ? TITLES[dialog] : undefined}
      withCloseButton={!quick}
      closeButtonProps={{ "aria-label": "Close" }}
      size={quick ? "lg" : "md"}
      padding={quick ? "xs" : "lg"}
      yOffset={quick ? "14vh" : undefined}
      centered={!quick}
      styles={{ title: { fontWeight: 650, fontSize: 18 } }}
    >
      {dialog === "new-channel" && <NewChannel close={close} />}
      {dialog === "browse" && <Browse close={close} />}
      {dialog === "switcher" && <Switcher close={close} />}
      {dialog === "help" && <Help />}
      {dialog === "invite" && <Invite />}
      {dialog === "profile" && <Profile close={close} />}
    </Modal>
  );
}

const KEYS: [string[], string][] = [
  [["Ctrl", "K"], "Search, or jump to a channel"],
  [["Alt", "↑"], "Previous channel"],
  [["Alt", "↓"], "Next channel"],
  [["Enter"], "Send"],
  [["Shift", "Enter"], "New line"],
  [["↑"], "Edit my last message (in an empty composer)"],
  [["Ctrl", "S"], "Save a version (in a document)"],
  [["Esc"], "Close, or cancel an edit"],
  [["?"], "This list"],
];

function Help() {
  return (
    <Table verticalSpacing={8} withRowBorders={false}>
      <Table.Tbody>
        {KEYS.map(([keys, meaning]) => (
          <Table.Tr key={meaning}>
            <Table.Td w={150}>
              {keys.map((key) => (
                <Kbd key={key} me={4}>
                  {key}
                </Kbd>
              ))}
            </Table.Td>
            <Table.Td>{meaning}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
