/** What else can be done with a document. */
import { ActionIcon, Menu, Text } from "@mantine/core";
import { modals } from "@mantine/modals";
import { IconDots, IconDownload, IconLink, IconTrash } from "@tabler/icons-react";
import { useLocation } from "wouter";
import { documents, type WholeDocument } from "../api/knowledge";
import { manages } from "../people/roles";
import { useLive } from "../shell/context";
import { copyText } from "../shell/copy";
import { pickMe } from "../shell/pick";
import { tell, tellError } from "../shell/tell";
import { sizeWords } from "./words";

export function useManageable(document: WholeDocument): boolean {
  const me = useLive(pickMe);
  return document.manageable ?? (document.author_id === me.id || manages(me.role));
}

export function DocumentMenu({ document }: { document: WholeDocument }) {
  const [, navigate] = useLocation();
  const manageable = useManageable(document);
  const remove = () =>
    modals.openConfirmModal({
      title: `Delete “${document.title}”?`,
      children: <Text size="sm">All its versions and the drafts of it are gone for everybody. This cannot be undone.</Text>,
      labels: { confirm: "Delete", cancel: "Keep" },
      confirmProps: { color: "red" },
      onConfirm: () => {
        documents.remove(document.id).then(() => {
          tell("The document is deleted.");
          navigate("/documents");
        }, tellError);
      },
    });
  const copy = () => {
    copyText(`${window.location.origin}/documents/${document.id}`).then(
      () => tell("The link is copied. Whoever may read the document can follow it."),
      tellError,
    );
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="More" data-testid="document-menu">
          <IconDots size={19} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconLink size={16} />} onClick={copy}>
          Copy the link
        </Menu.Item>
        {document.source && (
          <Menu.Item leftSection={<IconDownload size={16} />} component="a" href={documents.fileUrl(document.id)} download={document.source.name}>
            Download the original
            <Text size="xs" c="dimmed">
              {sizeWords(document.source.bytes)}
            </Text>
          </Menu.Item>
        )}
        {manageable && (
          <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={remove} data-testid="delete-document">
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
