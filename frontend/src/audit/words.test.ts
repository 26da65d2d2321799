import { expect, test } from "vitest";
import type { AuditEntry } from "../api/types";
import { actionChoices, sentenceOf, TELLINGS } from "./words";

const entry = (action: string, change: Partial<AuditEntry> = {}): AuditEntry => ({
  id: "e1",
  action,
  actor_id: "alice",
  actor_name: "Alice",
  subject: { kind: "user", id: "bob", name: "Bob" },
  details: {},
  address: "192.0.2.7",
  created_at: "2026-01-02T03:04:05.678Z",
  seal: null,
  ...change,
});

test("what was done is one sentence, with its details", () => {
  expect(sentenceOf(entry("session.started", { details: { device: "Firefox on Linux" } }))).toBe("Alice signed in on Firefox on Linux.");
  expect(sentenceOf(entry("role.changed", { details: { role: "admin", role_before: "member" } }))).toBe(
    "Alice made Bob an admin, who was a member before.",
  );
  expect(sentenceOf(entry("superadmin.changed", { details: { superadmin: true } }))).toBe(
    "Alice now looks after the whole installation.",
  );
});

test("a report says of what it is, as far as the log knows", () => {
  const say = (details: AuditEntry["details"]) => sentenceOf(entry("report.requested", { details }));
  expect(say({ kind: "export_channel", format: "csv", channel_id: "c", channel: "general" })).toBe("Alice asked for a report of #general as CSV.");
  expect(say({ kind: "export_channel", format: "pdf", channel_id: "c" })).toBe("Alice asked for a report of a private channel as PDF.");
  expect(say({ kind: "export_members", format: "pdf" })).toBe("Alice asked for a report of all people as PDF.");
  expect(sentenceOf(entry("report.downloaded", { details: { kind: "export_channel" } }))).toBe("Alice downloaded a report of a channel.");
});

test("jobs are put back one by one, or a whole queue of them", () => {
  const queue = { kind: "queue", id: "emails", name: "emails" };
  expect(sentenceOf(entry("job.retried", { details: { kind: "send_invitation" } }))).toBe("Alice put the failed job “Send an invitation” back.");
  expect(sentenceOf(entry("job.retried", { subject: queue, details: { queue: "emails", count: 5 } }))).toBe(
    "Alice put 5 failed jobs of the queue Emails back.",
  );
});

test("what one did to oneself is told apart from what one did to another", () => {
  const general = { details: { channel: "general" } };
  const self = { kind: "user", id: "alice", name: "Alice" };
  expect(sentenceOf(entry("member.added", general))).toBe("Alice added Bob to #general.");
  expect(sentenceOf(entry("member.added", { ...general, subject: self }))).toBe("Alice joined #general.");
  expect(sentenceOf(entry("session.revoked", { details: { sessions: 3 } }))).toBe("Alice ended 3 sessions of Bob.");
  expect(sentenceOf(entry("session.revoked", { details: { sessions: 1 }, subject: self }))).toBe("Alice ended one session of their own.");
});

test("a private channel has no name here", () => {
  const hidden = { subject: { kind: "channel", id: "c", name: "" }, details: { private: true } };
  expect(sentenceOf(entry("channel.created", hidden))).toBe("Alice created a private channel.");
  expect(sentenceOf(entry("channel.renamed", { ...hidden, details: {} }))).toBe("Alice renamed a private channel.");
});

test("an action of a newer server is a sentence all the same", () => {
  expect(sentenceOf(entry("secret_plan.shared_widely", { actor_name: "" }))).toBe("Somebody shared widely the secret plan “Bob”.");
  expect(sentenceOf(entry("nonsense"))).toBe("Alice did something with the nonsense “Bob”.");
  expect(sentenceOf(entry("constructor"))).toContain("the constructor");
});

test("every action that is known is told without a gap, whatever details are missing", () => {
  for (const action of Object.keys(TELLINGS)) {
    const bare = sentenceOf(entry(action, { subject: { kind: "", id: "", name: "" } }));
    expect(bare).not.toMatch(/undefined|null| {2}|““/);
    expect(bare.endsWith(".")).toBe(true);
  }
});

test("actions that were seen can be chosen, once", () => {
  const choices = actionChoices(["plan.shared", "plan.shared", "session.started"]);
  expect(choices.filter((one) => one.value === "plan.shared")).toEqual([{ value: "plan.shared", label: "Plan shared" }]);
  expect(choices.filter((one) => one.value === "session.started")).toHaveLength(1);
});

test("what happened to documents and the assistant is told without titles that not everybody may read", () => {
  const say = (action: string, details: AuditEntry["details"]) => sentenceOf(entry(action, { details }));
  expect(say("document.created", { visibility: "private" })).toBe("Alice wrote a document, for its author alone.");
  expect(say("document.shared", { visibility: "organization", title: "Plan" })).toBe(
    "Alice shared the document “Plan”, for everybody but guests.",
  );
  expect(say("assistant.changed", { model: "none", monthly_tokens: 1000 })).toBe(
    "Alice chose the usual model and at most 1,000 tokens a month for the assistant.",
  );
});
