/** A source of an answer: its quote, and the text around it. */
import { Button, CloseButton, Drawer, Loader, Text } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconExternalLink } from "@tabler/icons-react";
import { useMemo } from "react";
import { Link } from "wouter";
import type { Citation } from "../api/assistant";
import { DocumentText } from "../documents/DocumentText";
import { unitsOf } from "../documents/points";
import { useVersion } from "../documents/useDocument";
import classes from "./answer.module.css";
import { excerptOf } from "./excerpt";
import { shownTo, sourcePath } from "./words";

interface Props {
  number: number;
  /** Undefined where the source is not for me (any more). */
  citation: Citation | undefined;
  close: () => void;
}

/** Beside the answers where there is room, over them where there is none. */
export function SourcePanel({ number, citation, close }: Props) {
  const narrow = useMediaQuery("(max-width: 1100px)", false, { getInitialValueInEffect: false });
  if (narrow) return <SourceDrawer number={number} citation={citation} close={close} />;
  return (
    <aside className={classes.panel} aria-label={`Source ${number}`} data-testid="source-panel">
      <div className={classes.panelHead}>
        <span className={classes.chip} data-chosen="true">
          {number}
        </span>
        <span>Source</span>
        <CloseButton onClick={close} aria-label="Close the source" />
      </div>
      <SourceBody citation={citation} />
    </aside>
  );
}

export function SourceDrawer({ number, citation, close }: Props) {
  return (
    <Drawer opened onClose={close} position="right" size={420} title={`Source ${number}`} closeButtonProps={{ "aria-label": "Close" }} styles={{ title: { fontWeight: 650, fontSize: 18 } }} data-testid="source-panel">
      <SourceBody citation={citation} />
    </Drawer>
  );
}

export function SourceBody({ citation }: { citation: Citation | undefined }) {
  if (!citation || !shownTo(citation)) return <Hidden />;
  return (
    <div className={classes.source}>
      <Text fw={650} style={{ overflowWrap: "anywhere" }}>
        {citation.title}
      </Text>
      <blockquote className={classes.quote}>{citation.quote}</blockquote>
      <Button component={Link} href={sourcePath(citation)} variant="default" size="xs" leftSection={<IconExternalLink size={15} />} data-testid="open-source">
        {citation.kind === "document" ? "Open the document there" : "Open the channel there"}
      </Button>
      {citation.kind === "document" && citation.document_id && <Around citation={citation} id={citation.document_id} />}
    </div>
  );
}

function Hidden() {
  return (
    <Text className={classes.source} c="dimmed" data-testid="source-hidden">
      You may not read this source, or not any more.
    </Text>
  );
}

function Around({ citation, id }: { citation: Citation; id: string }) {
  const { version, problem } = useVersion(id, citation.version);
  const { start, end } = citation;
  const excerpt = useMemo(() => version && excerptOf(version.text, unitsOf(version.text, { start, end })), [version, start, end]);
  if (problem) return <Hidden />;
  if (!excerpt) return <Loader size={16} type="dots" />;
  return (
    <section aria-label="Where it stands" className={classes.around}>
      {excerpt.before && <Text c="dimmed" aria-hidden="true">…</Text>}
      <DocumentText text={excerpt.text} mark={excerpt.mark} />
      {excerpt.after && <Text c="dimmed" aria-hidden="true">…</Text>}
    </section>
  );
}
