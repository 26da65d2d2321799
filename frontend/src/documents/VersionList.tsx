/** The versions of a document, latest first. */
import { Button, Text } from "@mantine/core";
import { useCallback } from "react";
import { Link } from "wouter";
import { documents, type ListedDocument, type Version } from "../api/knowledge";
import { briefTime, fullTime } from "../chat/time";
import { useLive } from "../shell/context";
import { Older, Problem } from "../shell/Page";
import { pickPeople } from "../shell/pick";
import { useList } from "../shell/useList";
import classes from "./page.module.css";

export function VersionList({ document, shown }: { document: ListedDocument; shown: number }) {
  const people = useLive(pickPeople);
  const { id, version } = document;
  const load = useCallback(
    async (cursor: string | null, limit: number) => {
      // Another latest version is another list.
      const page = version > 0 ? await documents.versions(id, cursor, limit) : { versions: [], next: null };
      return { rows: page.versions.map((one: Version) => ({ ...one, id: String(one.version) })), next: page.next };
    },
    [id, version],
  );
  const { list, pages, problem, loading } = useList(load);
  return (
    <section className={classes.block} aria-label="Versions" data-testid="versions">
      <h2>Versions</h2>
      {problem && <Problem text={problem} again={() => void list.refresh()} />}
      {pages?.rows.length === 0 && (
        <Text size="sm" c="dimmed">
          There is none yet.
        </Text>
      )}
      <ol className={classes.versions} reversed>
        {pages?.rows.map((one) => (
          <li key={one.id} data-shown={one.version === shown}>
            <Link
              href={one.version === version ? `/documents/${id}` : `/documents/${id}?version=${one.version}`}
              aria-current={one.version === shown ? "true" : undefined}
            >
              <span className={classes.versionNumber}>{one.version === version ? `${one.version}, the latest` : one.version}</span>
              <span className={classes.versionWho} title={fullTime(one.created_at)}>
                {people[one.author_id]?.name ?? "somebody"}, {briefTime(one.created_at)}
              </span>
            </Link>
            {one.version > 1 && (
              <Button component={Link} href={`/documents/${id}?compare=${one.version - 1}&with=${one.version}`} size="compact-xs" variant="subtle" color="gray" aria-label={`What changed in version ${one.version}`}>
                Changes
              </Button>
            )}
          </li>
        ))}
      </ol>
      <Older next={pages?.next ?? null} loading={loading} more={() => void list.more()} />
    </section>
  );
}
