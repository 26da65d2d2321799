/** Looking back: a version as it was, the quote that one came for, and what changed between two. */
import { Button, Group, Select, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { documents, type WholeDocument, type WholeVersion } from "../api/knowledge";
import { briefTime } from "../chat/time";
import { useLive } from "../shell/context";
import { Placeholders, Problem } from "../shell/Page";
import { pickPeople } from "../shell/pick";
import { tell, tellError } from "../shell/tell";
import { Difference } from "./Difference";
import { DocumentText } from "./DocumentText";
import classes from "./page.module.css";
import { unitsOf } from "./points";
import { useVersion } from "./useDocument";
import { passageIn, type Passage } from "./words";

interface Props {
  document: WholeDocument;
  passage: Passage & { version: number };
  put: (document: WholeDocument) => void;
}

/** A version, with the passage marked that an address names. */
export function Looking({ document, passage, put }: Props) {
  const latest = passage.version === document.version;
  const { version: old, problem } = useVersion(document.id, latest ? null : passage.version);
  const text = latest ? document.text : (old?.text ?? "");
  const { start, end } = passage;
  const mark = useMemo(() => (start === null || end === null || !text ? null : unitsOf(text, { start, end })), [text, start, end]);
  if (problem) return <Text role="alert">{problem}</Text>;
  if (!latest && !old) return <Placeholders />;
  return (
    <>
      {latest ? (
        <p className={classes.banner}>
          {mark ? "The quote is marked below." : "This is the latest version."}
        </p>
      ) : (
        old && <OldBanner document={document} version={old} put={put} marked={mark !== null} />
      )}
      <h2 className={classes.name}>{latest ? document.title : old?.title}</h2>
      <DocumentText text={text} mark={mark} />
    </>
  );
}

function OldBanner({ document, version, put, marked }: { document: WholeDocument; version: WholeVersion; put: (document: WholeDocument) => void; marked: boolean }) {
  const people = useLive(pickPeople);
  const [, navigate] = useLocation();
  return (
    <div className={classes.banner} data-old="true" role="note" data-testid="old-version">
      <span>
        This is version {version.version} of {document.version}, by {people[version.author_id]?.name ?? "somebody"},{" "}
        {briefTime(version.created_at)}.{marked && " The quote is marked below."}
      </span>
      <Group gap={6}>
        <Button size="compact-sm" variant="default" onClick={() => navigate(`/documents/${document.id}?compare=${version.version}&with=${document.version}`)}>
          Compare with the latest
        </Button>
        <Restore document={document} number={version.version} put={put} />
        <Button size="compact-sm" variant="subtle" onClick={() => navigate(`/documents/${document.id}`)}>
          To the latest
        </Button>
      </Group>
    </div>
  );
}

function Restore({ document, number, put }: { document: WholeDocument; number: number; put: (document: WholeDocument) => void }) {
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  if (!document.editable || number === document.version) return null;
  const restore = async () => {
    setBusy(true);
    try {
      put((await documents.restore(document.id, number)).document);
      tell(`Version ${number} is the latest again. What was there before is kept as a version.`);
      navigate(`/documents/${document.id}`);
    } catch (error) {
      tellError(error);
      setBusy(false);
    }
  };
  return (
    <Button size="compact-sm" variant="default" loading={busy} onClick={() => void restore()} data-testid="restore">
      Restore
    </Button>
  );
}

/** What changed between two versions, which the address names. */
export function Compare({ document, from, put }: { document: WholeDocument; from: number; put: (document: WholeDocument) => void }) {
  const query = useSearch();
  const [, navigate] = useLocation();
  const to = passageIn(`version=${new URLSearchParams(query).get("with") ?? ""}`).version ?? document.version;
  const before = useVersion(document.id, from);
  const after = useVersion(document.id, to);
  const problem = before.problem ?? after.problem;
  const go = (one: number, other: number) =>
    navigate(`/documents/${document.id}?compare=${Math.min(one, other)}&with=${Math.max(one, other)}`, { replace: true });
  return (
    <>
      <div className={classes.compare} data-testid="compare">
        <span>What changed from</span>
        <Pick label="The older version" value={from} last={document.version} choose={(number) => go(number, to)} />
        <span>to</span>
        <Pick label="The newer version" value={to} last={document.version} choose={(number) => go(from, number)} />
        <Group gap={6} ms="auto">
          <Restore document={document} number={from} put={put} />
          <Button size="compact-sm" variant="subtle" onClick={() => navigate(`/documents/${document.id}`)}>
            Close
          </Button>
        </Group>
      </div>
      {problem && <Problem text={problem} again={() => go(from, to)} />}
      {!problem && (!before.version || !after.version) && <Placeholders />}
      {before.version && after.version && <Difference before={before.version} after={after.version} />}
    </>
  );
}

const MOST_CHOICES = 200;

function Pick({ label, value, last, choose }: { label: string; value: number; last: number; choose: (number: number) => void }) {
  const first = Math.max(1, last - MOST_CHOICES + 1);
  const numbers = Array.from({ length: last - first + 1 }, (_, at) => String(last - at));
  return (
    <Select
      size="xs"
      w={120}
      aria-label={label}
      data={numbers.map((number) => ({ value: number, label: `version ${number}` }))}
      value={String(value)}
      allowDeselect={false}
      onChange={(chosen) => chosen && choose(Number(chosen))}
    />
  );
}
