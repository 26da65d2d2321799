/** What the audit log tells, in sentences. Everything a person typed stays text. */
import type { AuditEntry } from "../api/types";
import { count, kindWords, queueWords, wordsOf } from "../queues/words";

interface Telling {
  /** What the action is called where one chooses among them. */
  label: string;
  /** The sentence, after the name of whoever did it. */
  say: (entry: AuditEntry) => string;
}

const quoted = (text: string) => `“${text}”`;

function detail(entry: AuditEntry, name: string): string {
  const value = entry.details[name];
  return value === undefined ? "" : String(value);
}

/** A private channel's name is not in the log: it is nothing to those who are not in it. */
function channel(entry: AuditEntry): string {
  const name = entry.subject.kind === "channel" ? entry.subject.name : detail(entry, "channel");
  return name ? `#${name}` : "a private channel";
}

function device(entry: AuditEntry): string {
  const name = detail(entry, "device");
  return name ? ` on ${name}` : "";
}

function person(entry: AuditEntry): string {
  return entry.subject.name || "somebody";
}

function role(name: string): string {
  return /^[aeiou]/.test(name) ? `an ${name}` : `a ${name}`;
}

const own = (entry: AuditEntry) => entry.subject.id === entry.actor_id;
const job = (entry: AuditEntry) => quoted(kindWords(detail(entry, "kind")));

function renamed(entry: AuditEntry, what: string): string {
  const [before, after] = [detail(entry, "name_before"), detail(entry, "name")];
  return before && after && before !== after ? `changed ${what} from ${quoted(before)} to ${quoted(after)}` : "";
}

function report(entry: AuditEntry): string {
  const kind = detail(entry, "kind");
  const format = detail(entry, "format");
  const things: Record<string, string> = { export_members: "of all people", export_audit: "of the audit log" };
  // Which channel it was is only told when it was asked for.
  const channels = entry.details.channel_id === undefined ? "of a channel" : `of ${channel(entry)}`;
  return `a report ${things[kind] ?? channels}${format && ` as ${format.toUpperCase()}`}`;
}

function retried(entry: AuditEntry): string {
  if (entry.subject.kind !== "queue") return `put the failed job ${job(entry)} back`;
  return `put ${count(Number(entry.details.count ?? 0), "failed job")} of the queue ${queueWords(entry.subject.id).name} back`;
}

/** It is done on the command line, and kept as if by the person themselves. */
function superadmin(entry: AuditEntry): string {
  return entry.details.superadmin === false ? "no longer looks after the whole installation" : "now looks after the whole installation";
}

function revoked(entry: AuditEntry): string {
  const number = Number(entry.details.sessions ?? 1);
  if (entry.subject.kind === "session") return `ended the session${device(entry)}`;
  return `ended ${number === 1 ? "one session" : `${number} sessions`} of ${own(entry) ? "their own" : person(entry)}`;
}

function membership(entry: AuditEntry, alone: string, verb: string, way: string): string {
  return own(entry) ? `${alone} ${channel(entry)}` : `${verb} ${person(entry)} ${way} ${channel(entry)}`;
}

function deletedMessage(entry: AuditEntry): string {
  const mine = detail(entry, "author_id") === entry.actor_id;
  return `deleted a message of ${mine ? "their own" : person(entry)} in ${channel(entry)}`;
}

const READERS: Record<string, string> = {
  private: "for its author alone",
  group: "for the people of a channel",
  organization: "for everybody but guests",
};

/** A document's title is in the log only where everybody may read the document. */
function document(entry: AuditEntry): string {
  const title = detail(entry, "title");
  return title ? `the document ${quoted(title)}` : "a document";
}

function readers(entry: AuditEntry): string {
  const words = READERS[detail(entry, "visibility")];
  return words ? `, ${words}` : "";
}

/** Only what was chosen is in the log; "none" is the usual. */
function assistant(entry: AuditEntry): string {
  const { model, monthly_tokens: tokens } = entry.details;
  const parts = [
    ...(model === undefined ? [] : [model === "none" ? "the usual model" : `the model ${quoted(String(model))}`]),
    ...(tokens === undefined ? [] : [tokens === "none" ? "no limit" : `at most ${count(Number(tokens), "token")} a month`]),
  ];
  return `chose ${parts.join(" and ") || "something else"} for the assistant`;
}

function roleChanged(entry: AuditEntry): string {
  const before = detail(entry, "role_before");
  return `made ${person(entry)} ${role(detail(entry, "role"))}${before && `, who was ${role(before)} before`}`;
}

export const TELLINGS: Record<string, Telling> = {
  "organization.created": {
    label: "Founded the organization",
    say: (entry) => `founded the organization ${quoted(detail(entry, "organization"))}`,
  },
  "session.started": { label: "Signed in", say: (entry) => `signed in${device(entry)}` },
  "session.refused": { label: "Sign-in refused", say: (entry) => `was refused at sign-in${device(entry)}` },
  "session.ended": { label: "Signed out", say: (entry) => `signed out${device(entry)}` },
  "session.revoked": { label: "Ended a session", say: revoked },
  "password.changed": { label: "Changed the password", say: () => "changed their password" },
  "password.reset": { label: "Reset the password", say: () => "chose a new password by a link from a mail" },
  "profile.changed": {
    label: "Changed the profile",
    say: (entry) => renamed(entry, "their name") || "changed their profile",
  },
  "role.changed": { label: "Changed a role", say: roleChanged },
  "user.activated": { label: "Let somebody back in", say: (entry) => `let ${person(entry)} back in` },
  "user.deactivated": { label: "Deactivated somebody", say: (entry) => `deactivated ${person(entry)}` },
  "invitation.created": {
    label: "Invited somebody",
    say: (entry) => `invited ${detail(entry, "email") || person(entry)} as ${role(detail(entry, "role") || "member")}`,
  },
  "invitation.withdrawn": {
    label: "Withdrew an invitation",
    say: (entry) => `withdrew the invitation of ${detail(entry, "email") || person(entry)}`,
  },
  "invitation.accepted": {
    label: "Accepted an invitation",
    say: (entry) => `joined by the invitation of ${detail(entry, "email") || person(entry)}`,
  },
  "channel.created": {
    label: "Created a channel",
    say: (entry) => (entry.subject.name ? `created the channel ${channel(entry)}` : `created ${channel(entry)}`),
  },
  "channel.renamed": {
    label: "Renamed a channel",
    say: (entry) => renamed(entry, "the name of a channel") || `renamed ${channel(entry)}`,
  },
  "member.added": { label: "Joined or was added", say: (entry) => membership(entry, "joined", "added", "to") },
  "member.removed": { label: "Left or was removed", say: (entry) => membership(entry, "left", "removed", "from") },
  "message.deleted": { label: "Deleted a message", say: deletedMessage },
  "document.created": { label: "Wrote a document", say: (entry) => `wrote ${document(entry)}${readers(entry)}` },
  "document.shared": { label: "Changed who reads a document", say: (entry) => `shared ${document(entry)}${readers(entry)}` },
  "document.deleted": { label: "Deleted a document", say: (entry) => `deleted ${document(entry)}` },
  "assistant.changed": { label: "Set up the assistant", say: assistant },
  "report.requested": { label: "Asked for a report", say: (entry) => `asked for ${report(entry)}` },
  "report.downloaded": { label: "Downloaded a report", say: (entry) => `downloaded ${report(entry)}` },
  "job.retried": { label: "Put a job back", say: retried },
  "superadmin.changed": { label: "Became SuperAdmin, or no longer is", say: superadmin },
  "job.discarded": { label: "Discarded a job", say: (entry) => `discarded the job ${job(entry)}` },
};

/** Tell what an action, `<resource>.<past verb>`, did where there is no sentence for it. */
function unknown(entry: AuditEntry): string {
  const [resource = "", verb = ""] = entry.action.split(".");
  const words = [verb || "did something with", "the", resource].join(" ").replaceAll("_", " ").trim();
  return entry.subject.name ? `${words} ${quoted(entry.subject.name)}` : words;
}

export function sentenceOf(entry: AuditEntry): string {
  const telling = Object.hasOwn(TELLINGS, entry.action) ? TELLINGS[entry.action] : undefined;
  return `${entry.actor_name || "Somebody"} ${telling?.say(entry) ?? unknown(entry)}.`;
}

/** List the actions to choose from: the known ones, and those of a newer server that were seen. */
export function actionChoices(seen: readonly string[]): { value: string; label: string }[] {
  const others = [...new Set(seen)].filter((action) => !Object.hasOwn(TELLINGS, action));
  const known = Object.entries(TELLINGS).map(([value, { label }]) => ({ value, label }));
  return [...known, ...others.map((value) => ({ value, label: wordsOf(value) }))];
}
