/** One entry of the audit log; its bare facts are there for those who open them. */
import { Text } from "@mantine/core";
import { IconAlertTriangle, IconShieldCheck } from "@tabler/icons-react";
import { memo } from "react";
import type { AuditEntry } from "../api/types";
import { briefTime, fullTime } from "../chat/time";
import { PersonMark } from "../shell/PersonMark";
import classes from "./audit.module.css";
import { sentenceOf } from "./words";

interface Props {
  entry: AuditEntry;
  /** The check found this to be where the log is not what was sealed. */
  broken: boolean;
}

export const EntryRow = memo(function EntryRow({ entry, broken }: Props) {
  return (
    <article className={classes.entry} data-testid="audit-entry" data-action={entry.action} data-broken={broken}>
      <PersonMark id={entry.actor_id} name={entry.actor_name} size={32} />
      <div className={classes.words}>
        <Text className={classes.sentence}>{sentenceOf(entry)}</Text>
        <div className={classes.line}>
          <time dateTime={entry.created_at} title={fullTime(entry.created_at)}>
            {briefTime(entry.created_at)}
          </time>
          {entry.address && <span>from {entry.address}</span>}
          {entry.seal && !broken && (
            <span className={classes.seal}>
              <IconShieldCheck size={14} aria-hidden="true" /> sealed
            </span>
          )}
          {broken && (
            <span className={classes.broken}>
              <IconAlertTriangle size={14} aria-hidden="true" /> the log breaks here
            </span>
          )}
        </div>
        <details className={classes.details}>
          <summary>Details</summary>
          <dl>
            {factsOf(entry).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
    </article>
  );
});

function factsOf(entry: AuditEntry): [string, string][] {
  const details = Object.entries(entry.details).map(([name, value]): [string, string] => [name, String(value)]);
  return [
    ["action", entry.action],
    ["actor", entry.actor_id],
    ["subject", `${entry.subject.kind} ${entry.subject.id}`],
    ...details.map(([name, value]): [string, string] => [`details.${name}`, value]),
    ["entry", entry.id],
    ["seal", entry.seal ?? "not yet"],
  ];
}
