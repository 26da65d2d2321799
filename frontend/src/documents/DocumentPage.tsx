/** One document: to read, to write, to look back at, and to hand on. */
import { ActionIcon, Button, Center, Drawer, Stack, Text, Tooltip } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconArrowLeft, IconInfoCircle, IconPencil } from "@tabler/icons-react";
import { useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import type { WholeDocument } from "../api/knowledge";
import { Placeholders, Problem } from "../shell/Page";
import shell from "../shell/shell.module.css";
import { TopBar } from "../shell/TopBar";
import { Details } from "./Details";
import { DocumentMenu } from "./DocumentMenu";
import { Editor } from "./Editor";
import classes from "./page.module.css";
import { Reading } from "./Reading";
import { useDocument } from "./useDocument";
import { Compare, Looking } from "./Versions";
import { passageIn } from "./words";

export default function DocumentPage({ id }: { id: string }) {
  const opened = useDocument(id);
  const { document, gone, problem, refresh } = opened;
  const editing = new URLSearchParams(useSearch()).has("edit");
  // What somebody is writing stays before them, also where nothing can be saved any more.
  if (gone && !(editing && document)) return <Gone />;
  if (!document) {
    return (
      <>
        <TopBar title="Document" />
        <div className={shell.page}>
          <div className={shell.pageBody}>{problem ? <Problem text={problem} again={refresh} /> : <Placeholders />}</div>
        </div>
      </>
    );
  }
  return <Shown document={document} put={opened.put} refresh={refresh} problem={problem} />;
}

interface Props {
  document: WholeDocument;
  put: (document: WholeDocument) => void;
  refresh: () => void;
  problem: string | null;
}

function Shown({ document, put, refresh, problem }: Props) {
  const query = useSearch();
  const [, navigate] = useLocation();
  const narrow = useMediaQuery("(max-width: 1100px)", false, { getInitialValueInEffect: false });
  const [panel, setPanel] = useState(!narrow);
  const given = new URLSearchParams(query);
  const passage = passageIn(query);
  const compare = passageIn(`version=${given.get("compare") ?? ""}`).version;
  const path = `/documents/${document.id}`;
  if (given.has("edit") && document.editable && document.version > 0) {
    return <Editor key={document.id} document={document} saved={put} done={() => navigate(path)} />;
  }
  const details = <Details document={document} put={put} refresh={refresh} shown={passage.version ?? document.version} />;
  return (
    <>
      <TopBar title={document.title} icon={<Back />}>
        {document.editable && document.version > 0 && (
          <Button size="xs" classNames={{ label: shell.actionLabel, section: shell.actionIcon }} aria-label="Edit" leftSection={<IconPencil size={15} />} onClick={() => navigate(`${path}?edit=1`)} data-testid="edit-document">
            Edit
          </Button>
        )}
        <Tooltip label={panel ? "Hide details" : "Readers, versions, links"}>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Details" aria-expanded={panel} onClick={() => setPanel(!panel)} data-testid="details-button">
            <IconInfoCircle size={20} />
          </ActionIcon>
        </Tooltip>
        <DocumentMenu document={document} />
      </TopBar>
      <div className={classes.columns}>
        <div className={classes.scroll} tabIndex={0} role="group" aria-label="Text of the document">
          <article className={classes.article}>
            {problem && <Problem text={problem} again={refresh} />}
            {compare !== null ? (
              <Compare document={document} from={compare} put={put} />
            ) : passage.version === null ? (
              <Reading document={document} put={put} />
            ) : (
              <Looking document={document} passage={{ ...passage, version: passage.version }} put={put} />
            )}
          </article>
        </div>
        {panel && !narrow && <aside className={classes.panel} aria-label="Details">{details}</aside>}
      </div>
      {narrow && (
        <Drawer opened={panel} onClose={() => setPanel(false)} position="right" size={360} title="Details" closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }}>
          {details}
        </Drawer>
      )}
    </>
  );
}

export function Back() {
  return (
    <Link href="/documents" className={classes.back} aria-label="All documents">
      <IconArrowLeft size={19} />
    </Link>
  );
}

function Gone() {
  return (
    <>
      <TopBar title="Not here" icon={<Back />} />
      <Center flex={1} p="lg">
        <Stack align="center" gap="sm">
          <Text fw={600} ta="center">
            This document is not here, or not for you to read.
          </Text>
          <Text size="sm" c="dimmed" ta="center" maw={380}>
            It may have been deleted, or shared with other people since.
          </Text>
          <Button component={Link} href="/documents" variant="default">
            To my documents
          </Button>
        </Stack>
      </Center>
    </>
  );
}
