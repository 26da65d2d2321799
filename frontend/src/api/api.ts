/** Every call of the HTTP API that the web app makes, typed. */
import { request, type Options } from "./http";
import type { Channel, InvitationPreview, Job, Me, Message, MessagePage, NewMessage, Person, Role, Session } from "./types";

interface Paged {
  next?: string | null;
}

const id = encodeURIComponent;

/** Read a paged list to its end; the server bounds each page. */
async function all<T>(path: string, key: string): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor ? `?limit=200&cursor=${id(cursor)}` : "?limit=200";
    const page = await request<Paged & Record<string, T[]>>("GET", path + query);
    rows.push(...((page[key] as T[] | undefined) ?? []));
    cursor = page.next ?? null;
  } while (cursor);
  return rows;
}

export const auth = {
  signup: (body: { organization: string; name: string; email: string; password: string }) =>
    request<{ user: Me }>("POST", "/auth/signup", { body, anonymous: true }),
  login: (body: { email: string; password: string }) =>
    request<{ user: Me }>("POST", "/auth/login", { body, anonymous: true }),
  logout: () => request<undefined>("POST", "/auth/logout", { anonymous: true }),
  accept: (body: { token: string; name: string; password: string }) =>
    request<{ user: Me }>("POST", "/invitations/accept", { body, anonymous: true }),
  preview: (token: string) =>
    request<InvitationPreview>("GET", `/invitations/preview?token=${id(token)}`, { anonymous: true }),
  forgot: (email: string) => request<undefined>("POST", "/auth/password-reset", { body: { email }, anonymous: true }),
  reset: (body: { token: string; password: string }) =>
    request<{ user: Me }>("POST", "/auth/password-reset/confirm", { body, anonymous: true }),
};

export const me = {
  get: (options: Pick<Options, "anonymous" | "retries" | "timeoutMs"> = {}) => request<{ user: Me }>("GET", "/me", options),
  rename: (name: string) => request<{ user: Me }>("PATCH", "/me", { body: { name } }),
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

export const reports = {
  start: (channel: string) =>
    request<{ job: Partial<Job> & { id: string } }>("POST", "/reports", {
      body: { kind: "channel", channel_id: channel, format: "csv" },
    }),
  get: (job: string) => request<{ job: Job }>("GET", `/jobs/${id(job)}`),
  cancel: (job: string) => request<unknown>("DELETE", `/jobs/${id(job)}`),
};
