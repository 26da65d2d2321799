/** Every call of the HTTP API that the web app makes, typed. */
import { request, type Options } from "./http";
import { all, id, query } from "./paths";
import type {
  AuditCheck, AuditEntry, Channel, InvitationPreview, Job, Me, Message, MessagePage, NewMessage, NoticePage, OpenStatus, Person,
  QueueJob, QueueState, ReportFormat, ReportKind, Role, Session,
} from "./types";

export const auth = {
  signup: (body: { organization: string; name: string; email: string; password: string; time_zone?: string }) =>
    request<{ user: Me }>("POST", "/auth/signup", { body, anonymous: true }),
  login: (body: { email: string; password: string }) =>
    request<{ user: Me }>("POST", "/auth/login", { body, anonymous: true }),
  logout: () => request<undefined>("POST", "/auth/logout", { anonymous: true }),
  accept: (body: { token: string; name: string; password: string; time_zone?: string }) =>
    request<{ user: Me }>("POST", "/invitations/accept", { body, anonymous: true }),
  preview: (token: string) =>
    request<InvitationPreview>("GET", `/invitations/preview?token=${id(token)}`, { anonymous: true }),
  forgot: (email: string) => request<undefined>("POST", "/auth/password-reset", { body: { email }, anonymous: true }),
  reset: (body: { token: string; password: string }) =>
    request<{ user: Me }>("POST", "/auth/password-reset/confirm", { body, anonymous: true }),
};

export const me = {
  get: (options: Pick<Options, "anonymous" | "retries" | "timeoutMs"> = {}) => request<{ user: Me }>("GET", "/me", options),
  change: (body: { name?: string; time_zone?: string; digest?: boolean }) =>
    request<{ user: Me }>("PATCH", "/me", { body }),
  sessions: () => all<Session>("/me/sessions", "sessions"),
  revoke: (session: string) => request<undefined>("DELETE", `/me/sessions/${id(session)}`),
  revokeOthers: () => request<undefined>("DELETE", "/me/sessions"),
};

export const people = {
  list: () => all<Person>("/users", "users"),
  change: (person: string, body: { role?: Role; active?: boolean }) =>
    request<{ user: Person }>("PATCH", `/users/${id(person)}`, { body }),
  invite: (body: { email: string; role: Role }) =>
    request<{ invitation: unknown; token: string }>("POST", "/invitations", { body }),
};

export const channels = {
  list: () => all<Channel>("/channels", "channels"),
  create: (body: { name: string; private: boolean; member_ids?: string[] }) =>
    request<{ channel: Channel }>("POST", "/channels", { body }),
  join: (channel: string, person: string) =>
    request<unknown>("PUT", `/channels/${id(channel)}/members/${id(person)}`),
  leave: (channel: string, person: string) =>
    request<unknown>("DELETE", `/channels/${id(channel)}/members/${id(person)}`),
};

export const messages = {
  page: (channel: string, before?: number, limit = 50) => {
    const place = before === undefined ? "" : `&before=${before}`;
    return request<MessagePage>("GET", `/channels/${id(channel)}/messages?limit=${limit}${place}`);
  },
  post: (channel: string, body: NewMessage) =>
    request<{ message: Message }>("POST", `/channels/${id(channel)}/messages`, { body, timeoutMs: 10_000 }),
  edit: (message: string, text: string) =>
    request<{ message: Message }>("PATCH", `/messages/${id(message)}`, { body: { text } }),
  remove: (message: string) => request<{ message: Message }>("DELETE", `/messages/${id(message)}`),
  react: (message: string, emoji: string, on: boolean) =>
    request<{ message: Message }>(on ? "PUT" : "DELETE", `/messages/${id(message)}/reactions/${id(emoji)}`),
};

export const notices = {
  page: (cursor: string | null, limit: number) =>
    request<NoticePage>("GET", `/notifications${query({ cursor, limit })}`),
  read: (which: { ids: string[] } | { all: true }) =>
    request<{ unread: number }>("POST", "/notifications/read", { body: which }),
};

export const reports = {
  start: (body: { kind: ReportKind; channel_id?: string; format: ReportFormat }) =>
    request<{ job: Partial<Job> & { id: string } }>("POST", "/reports", { body }),
  get: (job: string) => request<{ job: Job }>("GET", `/jobs/${id(job)}`),
  cancel: (job: string) => request<unknown>("DELETE", `/jobs/${id(job)}`),
};

export const queues = {
  list: () => request<{ queues: QueueState[] }>("GET", "/queues"),
  jobs: (queue: string, status: OpenStatus, cursor: string | null, limit: number) =>
    request<{ jobs: QueueJob[]; next: string | null }>("GET", `/queues/${id(queue)}/jobs${query({ status, cursor, limit })}`),
  retry: (job: string) => request<{ job: QueueJob }>("POST", `/queues/jobs/${id(job)}/retry`, { body: {} }),
  retryAll: (queue: string) => request<{ count: number }>("POST", `/queues/${id(queue)}/retry`, { body: {} }),
  discard: (job: string) => request<undefined>("DELETE", `/queues/jobs/${id(job)}`),
};

export const audit = {
  page: (filter: { action: string | null; actor_id: string | null }, cursor: string | null, limit: number) =>
    request<{ entries: AuditEntry[]; next: string | null }>("GET", `/audit${query({ ...filter, cursor, limit })}`),
  // Every seal is computed anew, which takes a while for a long log.
  check: () => request<AuditCheck>("GET", "/audit/check", { timeoutMs: 120_000, retries: 0 }),
};
