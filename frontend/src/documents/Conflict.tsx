/** Somebody saved another version while one wrote: both are shown, and one chooses. */
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { documents, type WholeDocument } from "../api/knowledge";
import { useLive } from "../shell/context";
import { pickPeople } from "../shell/pick";
import { tellError } from "../shell/tell";
import type { Autosave, Written } from "./autosave";
import { Difference } from "./Difference";
import classes from "./editor.module.css";
import { useVersion } from "./useDocument";

interface Props {
  document: WholeDocument;
  autosave: Autosave;
  current: number;
  mine: Written;
  /** Theirs was taken instead of mine. */
  taken: (document: WholeDocument) => void;
}

export function Conflict({ document, autosave, current, mine, taken }: Props) {
  const { version: theirs, problem } = useVersion(document.id, current);
  const people = useLive(pickPeople);
  const [shown, setShown] = useState(false);
  const who = (theirs && people[theirs.author_id]?.name) ?? "Somebody";
  const drop = async () => {
    if (!theirs) return;
    try {
      autosave.rebase(theirs, theirs);
      await autosave.discard();
      taken((await documents.get(document.id)).document);
    } catch (error) {
      tellError(error);
    }
  };
  return (
    <section className={classes.conflict} aria-label="Conflict" role="alert" data-testid="conflict">
      <Text fw={600} size="sm">
        {who} saved version {current} while you were writing. Your text is kept as a draft.
      </Text>
      {problem && <Text size="sm">{problem}</Text>}
      <Group gap={6} mt={6}>
        <Button size="compact-sm" variant="default" disabled={!theirs} onClick={() => setShown(!shown)} aria-expanded={shown}>
          {shown ? "Hide the differences" : "Show the differences"}
        </Button>
        <Button size="compact-sm" disabled={!theirs} onClick={() => theirs && autosave.rebase(theirs, mine)} data-testid="keep-mine">
          Keep mine
        </Button>
        <Button size="compact-sm" variant="default" disabled={!theirs} onClick={() => void drop()} data-testid="take-theirs">
          Take theirs
        </Button>
        <Text size="xs" c="dimmed">
          “Keep mine” lets you go on writing; saving then makes a version after theirs, which stays among the versions.
        </Text>
      </Group>
      {shown && theirs && (
        <div className={classes.both}>
          <Text size="xs" c="dimmed" mb={4}>
            From theirs (struck out) to yours (underlined):
          </Text>
          <Difference before={theirs} after={mine} />
        </div>
      )}
    </section>
  );
}
